"""`read` on a real pseudo-terminal port: live, in a pipe, as JSON, as hex."""

import json
import os
import subprocess
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import pushes
import telegrams
import texts
from command import COMMAND, DEADLINE_S, OnTerminal, Run, environment
from iskra_server.codecs.dlms import encoder
from iskra_server.sources import hextext

TELEGRAMS = telegrams.series(200)
LOCKED = telegrams.telegram(telegrams.meter_entries(power=None, scaler=3, energy=12345))


@contextmanager
def head(*sent: bytes, pause_s: float = 0.02) -> Iterator[str]:
    """A serial port on which telegrams arrive, again and again; gives its path."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    done = threading.Event()

    def send() -> None:
        while not done.is_set():
            for data in sent:
                with suppress(BlockingIOError):
                    os.write(ours, data)
                if done.wait(pause_s):
                    return

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield os.ttyname(theirs)
    finally:
        done.set()
        sender.join()
        os.close(ours)
        os.close(theirs)


def test_a_line_a_telegram_in_a_pipe(run: Run) -> None:
    with head(*TELEGRAMS) as port:
        done = run("read", port, "--count", 3)
    assert done.returncode == 0
    lines = [line for line in done.stdout.splitlines() if not line.startswith("!")]
    assert len(lines) == 3
    assert lines[0].startswith("1 ISK 00 12345678  energy_import=12345")
    assert "power=" in lines[0]


def test_a_meter_of_any_protocol_with_its_sub_meter(run: Run) -> None:
    with head(texts.p1_telegram()) as port:
        done = run("read", port, "--count", 2)
    meter, gas = [line for line in done.stdout.splitlines() if not line.startswith("!")][:2]
    assert meter.startswith(f"{texts.P1_ID}  ") and meter.endswith("  (p1)")
    assert gas == f"{texts.GAS_ID}  mbus1_reading=1569.646 m³  (p1)"
    assert done.returncode == 0


def test_an_encrypted_meter_with_a_key_of_a_file_or_of_the_configuration(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    (tmp_path / "key").write_text(pushes.KEYS.encryption.hex())
    telegrams = [encoder.hdlc(pushes.sealed(pushes.tagged(), counter)) for counter in range(100, 400)]
    with head(*telegrams) as port:
        done = run("read", port, "--count", 1, "--key-file", tmp_path / "key")
        assert f"{pushes.METER_ID}  " in done.stdout and "energy_import=7654.321 kWh" in done.stdout
    with head(*telegrams) as port:
        done = run("read", port, "--count", 1, IES_METERS=port, IES_METERS_KEY_FILE=str(tmp_path / "key"))
        assert "energy_import=7654.321 kWh" in done.stdout


def test_json_is_that_of_decode(run: Run) -> None:
    with head(*TELEGRAMS) as port:
        done = run("read", port, "--count", 1, "--json")
    telegram = json.loads(done.stdout.splitlines()[-1])
    assert telegram["meter_id"] == "1 ISK 00 12345678"
    assert telegram["octets"] == len(TELEGRAMS[0])


def test_raw_bytes_are_hex_that_decode_reads(run: Run) -> None:
    with head(*TELEGRAMS) as port:
        done = run("read", port, "--count", 2, "--raw")
    assert done.returncode == 0
    data = hextext.parse(done.stdout)
    assert len(telegrams.readings(data)) >= 2


@pytest.mark.parametrize("columns", [60, 160])
def test_live_values_on_a_terminal(columns: int, terminal: OnTerminal) -> None:
    with head(*TELEGRAMS) as port:
        live = terminal("read", port, columns=columns)
        live.until("telegrams valid")
        live.until("12345.6")
        live.until("▇")
        live.interrupt()
        assert live.end() == 0
    assert "1 ISK 00 12345678" in live.text
    assert "MT175/MT681" in live.text
    assert "kWh" in live.text
    assert "old; stop with Ctrl+C" in live.text
    assert "Traceback" not in live.text


def test_a_locked_meter_is_called_locked_and_shows_whole_kwh(terminal: OnTerminal) -> None:
    with head(LOCKED) as port:
        live = terminal("read", port, "--count", 2)
        assert live.end() == 0
    assert "Locked: whole kWh and no power" in live.text
    assert "12345 " in live.text.replace("\x1b[0m", " ").replace("\x1b[1m", "")
    assert "12345.000" not in live.text


def test_the_share_of_good_telegrams_counts_the_damaged_ones(terminal: OnTerminal) -> None:
    damaged = TELEGRAMS[0][:-1] + b"\x00"
    with head(TELEGRAMS[0], damaged) as port:
        live = terminal("read", port, "--count", 4)
        assert live.end() == 0
    assert "checksum)" in live.text


def test_a_capture_is_read_too_and_its_end_is_an_end(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(TELEGRAMS[0])
    done = run("read", "x.bin")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    (tmp_path / "noise.bin").write_bytes(bytes(9000))
    done = run("read", "file:noise.bin?speed=0")
    assert done.returncode == 1
    name = "file:noise.bin?speed=0"
    assert done.stderr == f"iskra-server: No telegram arrived from {name}; iskra-server doctor '{name}' says why.\n"


def test_a_head_that_is_unplugged_is_told_once(tmp_path: Path) -> None:
    with head(*TELEGRAMS) as port:
        reading = subprocess.Popen(
            [str(COMMAND), "read", port],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(tmp_path),
        )
        assert reading.stdout is not None
        assert reading.stderr is not None
        assert reading.stdout.readline()
    said = reading.stderr.readline()
    reading.terminate()
    assert port in said
    assert reading.wait(DEADLINE_S) == 0
    reading.communicate()
