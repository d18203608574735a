"""The command as a fixture, in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import COMMAND, DEADLINE_S, OnTerminal, Run, Terminal, environment
from iskra_server.cli import NAME, main
from running import Head, Server, repeating, serving, until
from telegrams import telegram


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[tuple[Head, Server]]:
    """A head that sends a telegram a second, and the server that has its port open and reads it."""
    head = Head(tmp_path / "head")
    with serving("serve", str(head.link)) as server:
        until(lambda: server.status()["facts"]["is_open"])
        with repeating(head, telegram(), 1.0):
            until(lambda: server.status()["ok"])
            yield head, server
    head.unplug()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """run("decode", "-", stdin=b"...", IES_PORT="1") -> what it printed, and its exit status."""

    def call(*args: object, stdin: bytes = b"", **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(COMMAND), *map(str, args)],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=environment(tmp_path, **variables),
            timeout=DEADLINE_S,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture
def call(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """As `run`, in this process: SQLAlchemy takes half a second to import."""

    def call(*args: object, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [NAME, *map(str, args)]
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as end:
            for name in [name for name in os.environ if name.startswith("IES_")]:
                patch.delenv(name)
            for name, value in {"HOME": str(tmp_path), **variables}.items():
                patch.setenv(name, value)
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", command)
            main()
        said = capfd.readouterr()
        return subprocess.CompletedProcess(command, int(end.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[OnTerminal]:
    """terminal("read", path, columns=80) -> a running command."""
    started: list[Terminal] = []

    def start(*args: object, columns: int = 80) -> Terminal:
        started.append(Terminal([str(arg) for arg in args], tmp_path, columns))
        return started[-1]

    yield start
    for each in started:
        each.close()
