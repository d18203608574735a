"""`simulate`: telegrams on every kind of line."""

import asyncio
import os
import socket
import subprocess
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import d0meter
import telegrams
import texts
from command import COMMAND, DEADLINE_S, OnTerminal, Run, environment
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading
from iskra_server.sources.serial import open_serial


@contextmanager
def simulating(folder: Path, *args: str) -> Iterator[str]:
    """A running simulation; gives the line that it prints first."""
    command = [str(COMMAND), "simulate", "--rate", "20", *args]
    process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
        process.communicate()


def test_a_file_with_so_many_telegrams_of_a_model_and_a_seed(run: Run, tmp_path: Path) -> None:
    assert run("simulate", "--to", "x.bin", "--profile", "mt631-locked", "--count", 3, "--seed", 7).returncode == 0
    readings = telegrams.readings((tmp_path / "x.bin").read_bytes())
    assert [reading.meter_id for reading in readings] == ["1 ISK 00 10000007"] * 3


def test_faults_do_damage(run: Run, tmp_path: Path) -> None:
    run("simulate", "--to", "x.bin", "--count", 20, "--faults", "cut=1")
    assert telegrams.readings((tmp_path / "x.bin").read_bytes()) == []


def test_a_pipe(tmp_path: Path) -> None:
    with subprocess.Popen([str(COMMAND), "simulate", "--to", "-", "--rate", "0"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        data = process.stdout.read(5000)
        process.stdout.close()
    assert process.returncode == 0
    assert len(telegrams.readings(data)) >= 5


def test_a_serial_port_whose_path_is_printed(tmp_path: Path) -> None:
    with simulating(tmp_path) as path:
        port = os.open(path, os.O_RDONLY | os.O_NOCTTY)
        tty.setraw(port)
        data = b""
        while not telegrams.readings(data):
            data += os.read(port, 4096)
        os.close(port)


def test_a_port_on_the_network(tmp_path: Path) -> None:
    with simulating(tmp_path, "--to", "tcp") as url:
        host, _, port = url.removeprefix("tcp://").partition(":")
        with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as connection:
            data = b""
            while not telegrams.readings(data):
                data += connection.recv(4096)


def test_a_network_port_that_is_taken_is_refused(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("simulate", "--to", f"tcp:{port}")
    assert done.returncode == 2
    assert done.stderr.startswith(f"iskra-server: TCP port {port} cannot be served: another program uses it; ")


def test_a_line_ends_after_so_many_telegrams(run: Run) -> None:
    done = run("simulate", "--to", "tcp", "--count", 2, "--rate", 20)
    assert done.returncode == 0
    assert done.stdout.startswith("tcp://127.0.0.1:")


def test_bytes_do_not_go_to_a_terminal(terminal: OnTerminal) -> None:
    refused = terminal("simulate", "--to", "-", columns=200)
    assert refused.end() == 2
    assert "A terminal cannot show binary data; use a pipe: iskra-server simulate --to - | od -tx1" in refused.text


@pytest.mark.parametrize("port", ["9" * 5000, "65536", "²", "٣", "-1"])
def test_what_is_no_port_is_one_sentence(run: Run, port: str) -> None:
    done = run("simulate", "--to", f"tcp:{port}")
    assert (done.returncode, "is not a TCP port" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_a_polled_meter_waits_on_its_port_and_is_read_at_its_speed(tmp_path: Path) -> None:
    async def read(path: str) -> Reading:
        line = await open_serial(path)
        assert await line.read_until(time.monotonic()) == b""
        await line.close()
        async with asyncio.timeout(DEADLINE_S):
            return await d0meter.first_reading(path)

    with simulating(tmp_path, "--profile", "ME162", "--echo") as path:
        reading = asyncio.run(read(path))
    assert reading.meter_id == "1 ISK 00 10000001" and reading.get(Obis.parse("1.8.0"))


@pytest.mark.slow
def test_a_port_at_another_speed_than_the_meter_has_noise(tmp_path: Path) -> None:
    async def heard(path: str, baud: int) -> bytes:
        line = await open_serial(path, baud)
        # what was sent before
        await line.read_until(time.monotonic())
        data = b""
        async with asyncio.timeout(DEADLINE_S):
            while len(data) < 4000:
                data += await line.read()
        await line.close()
        return data

    with simulating(tmp_path, "--profile", "M550") as path:
        assert list(texts.readings(P1Decoder().feed(asyncio.run(heard(path, 115_200)))))
        assert not list(texts.readings(P1Decoder().feed(asyncio.run(heard(path, 9600)))))


def test_what_is_encrypted_is_recorded_with_its_key_told(run: Run, tmp_path: Path) -> None:
    done = run("simulate", "--to", "x.bin", "--profile", "AM550-CH-encrypted", "--count", 2)
    _, _, keys = done.stderr.strip().partition("encrypts: ")
    key, auth_key = (part.split()[1] for part in keys.split(", "))
    (tmp_path / "key").write_text(key)
    (tmp_path / "auth_key").write_text(auth_key)
    shown = run("decode", "x.bin", "--key-file", "key", "--auth-key-file", "auth_key")
    assert shown.stdout.endswith("2 telegrams, no fault, 818 bytes.\n"), shown.stdout
    assert run("decode", "x.bin").stdout.startswith("! encrypted: 1 ISK 00 10000001, ")


@pytest.mark.parametrize("profile", ["MT174", "MT382-P1", "NetzNOE"])
def test_a_file_of_any_protocol_is_decoded(run: Run, profile: str) -> None:
    run("simulate", "--to", "x.bin", "--profile", profile, "--count", 2)
    shown = run("decode", "x.bin")
    assert shown.returncode == 0 and ", no fault, " in shown.stdout, shown.stdout


def test_a_polled_meter_on_a_port_has_no_count(run: Run) -> None:
    done = run("simulate", "--profile", "MT174", "--count", 2)
    assert done.returncode == 2
    assert done.stderr == "iskra-server: MT174 sends only what it is asked for: --count needs a file or a pipe.\n"
