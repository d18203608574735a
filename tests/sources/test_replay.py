import asyncio
import logging
import os
import time
from pathlib import Path

import pytest

from iskra_server.sources.replay import Replay
from iskra_server.sources.source import SourceState
from sources.ptys import listening, nobody, until

CAPTURE = bytes(range(200)) * 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "capture.bin"
    path.write_bytes(CAPTURE)
    return path


async def replayed(path: Path, speed: float) -> tuple[list[bytes], SourceState, float]:
    source, began_s = Replay(url=f"file:{path}", path=path, speed=speed), time.monotonic()
    async with listening(source) as heard:
        await until(lambda: heard.ended)
    return [chunk.data for chunk in heard.chunks], source.state, time.monotonic() - began_s


def test_a_capture_is_replayed_in_pieces_of_64_bytes_and_ends(path: Path) -> None:
    chunks, state, _ = asyncio.run(replayed(path, 0))
    assert b"".join(chunks) == CAPTURE
    assert [len(chunk) for chunk in chunks] == [64] * 6 + [16]
    assert state == SourceState(str(path), is_open=False, problem="ended", details={"port": str(path)})


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 400 / 960), (4.0, 100 / 960)])
def test_it_is_replayed_at_the_speed_of_the_wire(path: Path, speed: float, seconds: float) -> None:
    assert asyncio.run(replayed(path, speed))[2] >= seconds


def test_the_first_bytes_take_their_time_on_the_wire(path: Path) -> None:
    async def main() -> None:
        began_s = time.monotonic()
        source = Replay(url="file:", path=path)
        async with listening(source) as heard:
            await until(lambda: heard.chunks)
            assert source.state == SourceState(str(path), is_open=True)
        assert heard.chunks[0].monotonic_s - began_s >= 64 / 960

    asyncio.run(main())


def test_a_replay_is_marked_as_simulated(path: Path) -> None:
    assert Replay(url="file:", path=path).simulated


def test_a_missing_capture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "gone.bin"
    chunks, state, _ = asyncio.run(replayed(path, 0))
    assert (chunks, state.problem, state.details["port"]) == ([], "capture_missing", str(path))
    assert caplog.record_tuples == [("iskra_server.sources", logging.WARNING, f"{path}: capture_missing")]


def test_a_capture_without_read_permission() -> None:
    path = Path("/etc/shadow")
    with nobody():
        _, state, _ = asyncio.run(replayed(path, 0))
    assert (state.problem, state.details["port"]) == ("capture_permission", "/etc/shadow")


def test_a_folder_is_not_a_capture(tmp_path: Path) -> None:
    _, state, _ = asyncio.run(replayed(tmp_path, 0))
    assert (state.problem, state.details["reason"]) == ("capture_unusable", "Is a directory")


def test_hex_text_is_converted_to_bytes(tmp_path: Path) -> None:
    path = tmp_path / "pasted.txt"
    path.write_text(f"```\n{CAPTURE.hex(':')}\n```\n")
    chunks, _, _ = asyncio.run(replayed(path, 0))
    assert b"".join(chunks) == CAPTURE


def test_other_text_is_replayed_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "d0.txt"
    path.write_text("/ISK5MT174-0001\r\n1.8.0(000123.456*kWh)\r\n", newline="")
    chunks, _, _ = asyncio.run(replayed(path, 0))
    assert b"".join(chunks) == path.read_bytes()


def test_a_pipe_is_read_without_blocking_the_event_loop(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def run() -> list[bytes]:
        source = Replay(url=f"file:{pipe}", path=pipe, speed=0)
        async with listening(source) as heard:
            await until(lambda: not heard.chunks)
            writer = os.open(pipe, os.O_RDWR)
            for piece in (b"one", b"two"):
                os.write(writer, piece)
                await until(lambda: b"".join(chunk.data for chunk in heard.chunks).endswith(piece))  # noqa: B023
            os.close(writer)
            await until(lambda: heard.ended)
        return [chunk.data for chunk in heard.chunks]

    assert b"".join(asyncio.run(run())) == b"onetwo"
