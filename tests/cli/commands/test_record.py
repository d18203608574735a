"""`record`: what came is in the file, whatever happens."""

import os
import re
import resource
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

import pushes
import telegrams
from command import COMMAND, DEADLINE_S, OnTerminal, Run, environment
from iskra_server.codecs.dlms import encoder as dlms
from iskra_server.codecs.dlms.security import TEST_KEYS
from iskra_server.simulator.simulated_source import telegrams as simulated
from running import Head, until

METER = "simulator:MT175?rate=40&start=2026-01-02T10:00:00Z"
SERIAL = bytes.fromhex("00989681")


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    head = Head(tmp_path / "head")
    yield head
    head.unplug()


def test_a_recording_ends_after_so_many_telegrams_and_holds_them(run: Run, tmp_path: Path) -> None:
    done = run("record", "-o", "x.bin", METER, "--telegrams", 5)
    data = (tmp_path / "x.bin").read_bytes()
    assert done.returncode == 0
    assert len(telegrams.readings(data)) == 5
    assert done.stderr == f"x.bin: 5 telegrams, {len(data):,} bytes.\n"


@pytest.mark.parametrize(
    "profile",
    [
        "ME162",
        pytest.param("AM550-CH", marks=pytest.mark.slow),
        *(pytest.param(profile, marks=pytest.mark.slow) for profile in ("MT382-P1", "M550", "NetzNOE")),
    ],
)
def test_what_a_meter_of_another_protocol_sends_is_recorded_as_it_came(run: Run, tmp_path: Path, profile: str) -> None:
    url = f"simulator:{profile}?rate=50&start=2026-01-10T10:00:00Z"
    run("record", "-o", "x.bin", url, "--seconds", 3, "--quiet")
    data = (tmp_path / "x.bin").read_bytes()
    sent = b"".join(islice(simulated(profile, start=datetime(2026, 1, 10, 10, tzinfo=UTC)), 200))
    assert data and sent.startswith(data)
    # replayed as a source, it is the same again
    run("record", "-o", "y.bin", "file:x.bin?speed=0", "--quiet")
    assert (tmp_path / "y.bin").read_bytes() == data
    shown = run("decode", "x.bin")
    assert shown.returncode == 0 and ("no fault" in shown.stdout or "1 fault (1 cut)" in shown.stdout), shown.stdout


@pytest.mark.slow
def test_bytes_that_no_telegram_is_recognised_in_are_recorded_with_their_line_settings(
    run: Run, tmp_path: Path, head: Head
) -> None:
    """Who records to get help has a meter that is not found."""
    sent: list[bytes] = []

    def send() -> None:
        while not ended.wait(0.3):
            noise = bytes((0x00, 0xE0, 0x80, len(sent) % 256)) * 10
            head.send(noise)
            sent.append(noise)

    ended = threading.Event()
    sender = threading.Thread(target=send)
    sender.start()
    try:
        done = run("record", "-o", "x.bin", head.link, "--seconds", 6)
    finally:
        ended.set()
        sender.join()
    data = (tmp_path / "x.bin").read_bytes()
    assert done.returncode == 0
    # what is sent before the port is open is lost
    assert len(data) >= 80
    assert data in b"".join(sent)
    assert re.match(
        r"x\.bin: \d+ bytes from byte 0 on were read from \S+ at 9600 8N1; no telegram in them\.", done.stderr
    )
    assert done.stderr.endswith(f"x.bin: 0 telegrams, {len(data):,} bytes.\n")


@pytest.mark.slow
def test_a_recording_ends_after_so_many_seconds(run: Run, tmp_path: Path) -> None:
    """A busy machine may not have received a whole telegram by then."""
    done = run("record", "-o", "x.bin", METER, "--seconds", 5, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "x.bin").stat().st_size


def test_a_masked_recording_has_other_names_and_whole_telegrams(run: Run, tmp_path: Path) -> None:
    run("record", "-o", "x.bin", METER, "--telegrams", 3, "--mask")
    data = (tmp_path / "x.bin").read_bytes()
    assert {reading.meter_id for reading in telegrams.readings(data)} == {"1 ISK 00 00000001"}
    assert SERIAL not in data


def test_a_masked_recording_of_an_encrypted_meter_is_read_with_the_test_keys(run: Run, tmp_path: Path) -> None:
    stream = b"".join(dlms.hdlc(pushes.sealed(pushes.tagged(), counter)) for counter in range(100, 103))
    (tmp_path / "meter.bin").write_bytes(stream)
    (tmp_path / "key").write_text(pushes.KEYS.encryption.hex())
    done = run("record", "-o", "x.bin", "file:meter.bin?speed=0", "--mask", "--key-file", "key")
    assert "encrypted again with the published test keys: 000102030405060708090a0b0c0d0e0f" in done.stderr
    (tmp_path / "published").write_text(TEST_KEYS.encryption.hex())
    shown = run("decode", "x.bin", "--key-file", "published")
    assert shown.returncode == 0 and "1 ISK 00 00000001" in shown.stdout and "99999999" not in shown.stdout


def test_sigterm_is_a_good_end(tmp_path: Path) -> None:
    command = [str(COMMAND), "record", "-o", "x.bin", METER]
    recording = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, text=True)
    file = tmp_path / "x.bin"
    until(lambda: recording.poll() is not None or (file.exists() and file.stat().st_size > 0))
    recording.send_signal(signal.SIGTERM)
    _, said = recording.communicate(timeout=DEADLINE_S)
    assert recording.returncode == 0
    assert said.startswith("x.bin: ")


@pytest.mark.skipif("COVERAGE_RUN" in os.environ, reason="coverage writes its data there, too")
def test_a_full_disk_keeps_what_is_written_and_says_so(tmp_path: Path) -> None:
    limit = 2000
    done = subprocess.run(
        [str(COMMAND), "record", "-o", "x.bin", METER],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        check=False,
    )
    assert (tmp_path / "x.bin").stat().st_size == limit
    assert done.stderr == "iskra-server: x.bin is incomplete: File too large; the first 2,000 bytes are kept.\n"
    assert done.returncode == 1


def test_nothing_is_left_behind_where_nothing_came(run: Run, tmp_path: Path) -> None:
    done = run("record", "-o", "x.bin", "/dev/ttyNONE")
    assert done.returncode == 2
    assert done.stderr.startswith("iskra-server: /dev/ttyNONE does not exist")
    assert not (tmp_path / "x.bin").exists()


def test_a_terminal_shows_how_far_it_is(terminal: OnTerminal) -> None:
    recording = terminal("record", "-o", "x.bin", METER, "--telegrams", 10)
    assert recording.end() == 0
    assert "Recording" in recording.text
    assert "x.bin: 10 telegrams" in recording.text
