"""Every command with odd arguments: whatever they are, one sentence and a status, never a traceback."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import typer

from command import COMMAND, environment
from iskra_server.cli import COMMANDS, NAME, main, module_of
from iskra_server.cli.commands import support_bundle
from iskra_server.cli.ui import loop
from iskra_server.runtime import server

ODD = (
    *("", " ", "-", "--", "/", ".", "/dev/null", "kühl\n", "x" * 5000, "../none/x", "~nosuchuser/x", "%s{}"),
    *("-1", "0", "9" * 400, "nan", "inf", "1e309", "²", "1:2:3", "1 ISK 00 12345678", "2026-02-30", "[[]]"),
    *("tcp://192.168.1..20:1", "tcp://h:99999", "file:/", "simulator:x", "auto", "none", "file:/proc/self/mem"),
)
# each parameter gets every so many of them, another choice for each; 1 tries all
EVERY = int(os.environ.get("IES_TEST_ODD_EVERY", "8"))
# a command that works goes on for no longer
MOMENT_S = 0.02
STATUSES = (0, 1, 2)
Called = Callable[..., tuple[int, str]]


async def _for_a_moment(work: Coroutine[object, object, None]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(MOMENT_S):
            await work


async def _serves(*_: object) -> None:
    """For ever, if it were to."""


async def _found(*_: object) -> support_bundle.Content:
    return support_bundle.Content({}, [])


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Called:
    """called("decode", "x") -> exit status and what was said on stderr."""
    for name in [name for name in os.environ if name.startswith("IES_")]:
        monkeypatch.delenv(name)
    for name, value in {"HOME": str(tmp_path), "IES_SERVER_PORT": "1", "IES_SERVER_ANNOUNCE": "false"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    # what runs until it is stopped
    monkeypatch.setattr(loop, "run", lambda work: asyncio.run(_for_a_moment(work)))
    monkeypatch.setattr(server, "_serve", _serves)
    monkeypatch.setattr(server, "set_up", lambda *_: None)
    monkeypatch.setattr(support_bundle, "_from_meters", _found)

    def call(*args: str) -> tuple[int, str]:
        said = tmp_path / "said"
        with monkeypatch.context() as patch, ExitStack() as files, pytest.raises(SystemExit) as end:
            for name, file, mode in (("stdin", os.devnull, "r"), ("stdout", os.devnull, "w"), ("stderr", said, "w")):
                patch.setattr(sys, name, files.enter_context(open(file, mode, encoding="utf-8")))
            patch.setattr(sys, "argv", [NAME, *args])
            main()
        return int(end.value.code or 0), said.read_text()

    return call


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A command, and those below it."""
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))
    yield path, command


def calls(name: str) -> Iterator[list[str]]:
    """Each parameter with odd values, all others as they need to be."""
    for path, command in commands(typer.main.get_command(module_of(name).app), (name,)):
        needed = [each for each in command.params if each.param_type_name == "argument" and each.required]
        options = [each for each in command.params if each.param_type_name == "option" and not each.is_flag]
        for place in range(max(1, len(needed))):
            for odd in ODD[place % EVERY :: EVERY]:
                yield [*path, *(odd if number == place else "x" for number in range(max(1, len(needed))))]
        for place, option in enumerate(options, 1):
            for odd in ODD[place % EVERY :: EVERY]:
                yield [*path, *("x" for _ in needed), option.opts[0], odd]


@pytest.mark.parametrize("name", COMMANDS)
def test_odd_arguments_end_with_a_sentence_and_a_status(name: str, called: Called) -> None:
    for args in calls(name):
        status, said = called(*args)
        assert status in STATUSES, args
        assert "Traceback" not in said, args
        if status == 2:
            assert f"{NAME}: " in said, args
            assert said.count("\n") <= (2 if name == "demo" else 1), args


def test_an_error_of_a_file_names_the_file_and_is_wrong_usage(called: Called) -> None:
    status, said = called("restore", "x" * 5000)
    assert status == 2
    assert said.startswith(f"{NAME}: xxx")
    assert said.endswith("xxx... cannot be used: File name too long.\n")
    assert called("support-bundle", "none/x.zip") == (
        2,
        f"{NAME}: none/x.zip cannot be used: No such file or directory.\n",
    )


@pytest.mark.parametrize("args", [["config", "show"], ["version"], ["--help"], ["meters"], ["ports"]])
@pytest.mark.parametrize("streams", [">&-", ">/dev/full", "<&- >&-"])
def test_output_that_cannot_be_written_is_one_sentence(args: list[str], streams: str, tmp_path: Path) -> None:
    done = in_shell(f"{COMMAND} {' '.join(args)} {streams}", tmp_path)
    assert done.returncode == (2 if args == ["meters"] else 1)
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"{NAME}: ")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_german_is_printed_on_every_terminal(encoding: str, tmp_path: Path) -> None:
    command = f"{COMMAND} doctor --lang de --seconds 1 tcp://127.0.0.1:1"
    done = in_shell(command, tmp_path, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (1, "")
    assert "nimmt keine Verbindungen an. Pr" in done.stdout


def in_shell(command: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        cwd=folder,
        env=environment(folder, **variables),
        timeout=60,
        check=False,
    )
