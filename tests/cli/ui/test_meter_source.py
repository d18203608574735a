"""What a command is given to read, and how it learns that nothing comes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from iskra_server.cli.ui import meter_source
from iskra_server.cli.ui.meter_source import TICK_S, chunks_and_ticks, chunks_or_error, open_meter_source
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.sources.source import Chunk, LineSettings, SourceState, timestamped


class Scripted:
    """A source that follows a script: bytes, a state, or a pause in seconds."""

    simulated = False

    def __init__(self, *script: bytes | SourceState | float, url: str = "/dev/x") -> None:
        self.url = url
        self.state = SourceState(url, is_open=True)
        self.closed = False
        self._script = script

    async def chunks(self) -> AsyncGenerator[Chunk]:
        try:
            for step in self._script:
                if isinstance(step, bytes):
                    yield timestamped(step)
                elif isinstance(step, SourceState):
                    self.state = step
                else:
                    await asyncio.sleep(step)
        finally:
            self.closed = True


GONE = SourceState("/dev/x", is_open=False, problem="unplugged", details={"port": "/dev/x"})
MISSING = SourceState("/dev/x", is_open=False, problem="missing", details={"port": "/dev/x"})


async def gathered(chunks: AsyncGenerator[Chunk]) -> list[bytes]:
    async with aclosing(chunks) as given:
        return [chunk.data async for chunk in given]


def test_a_pause_is_an_empty_chunk_and_nothing_is_lost() -> None:
    data = asyncio.run(gathered(chunks_and_ticks(Scripted(b"a", b"b", 0.4, b"c"))))
    assert [chunk for chunk in data if chunk] == [b"a", b"b", b"c"]
    assert b"" in data


def test_to_stop_listening_closes_the_source() -> None:
    source = Scripted(b"a", 60.0)

    async def first() -> bytes:
        async with aclosing(chunks_and_ticks(source)) as chunks:
            return (await anext(chunks)).data

    assert asyncio.run(first()) == b"a"
    assert source.closed


@pytest.mark.parametrize(("url", "status"), [("/dev/x", 2), ("auto", 1)])
def test_what_cannot_be_opened_is_refused_with_the_reason(url: str, status: int) -> None:
    with pytest.raises(UsageError, match=r"/dev/x does not exist\.") as caught:
        asyncio.run(gathered(chunks_or_error(Scripted(MISSING, 60.0, url=url))))
    assert caught.value.status == status


def test_a_source_that_ends_without_having_begun_is_refused_too() -> None:
    with pytest.raises(UsageError, match="does not exist"):
        asyncio.run(gathered(chunks_or_error(Scripted(MISSING))))


def test_a_line_that_is_lost_is_told_once_and_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    data = asyncio.run(gathered(chunks_or_error(Scripted(b"a", GONE, 0.8, b"b"))))
    assert data == [b"a", b"b"]
    assert capsys.readouterr().err == "/dev/x was unplugged. Plug it in again; reading continues automatically.\n"


def test_a_port_that_is_searched_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(meter_source, "_TELL_AFTER_S", 2 * TICK_S)
    silent = SourceState("/dev/x", is_open=True, problem="silence", details={"port": "/dev/x"})
    assert asyncio.run(gathered(chunks_or_error(Scripted(silent, 1.2, b"a")))) == [b"a"]
    assert capsys.readouterr().err.count("Nothing arrives on /dev/x") == 1


def test_a_port_whose_speed_is_searched_says_that_a_request_follows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(meter_source, "_TELL_AFTER_S", 2 * TICK_S)
    details = {"port": "/dev/x"}
    silent = SourceState("/dev/x", is_open=True, problem="silence", details=details, line=LineSettings(2400, "8E1"))
    asyncio.run(gathered(chunks_or_error(Scripted(silent, 1.2, b"a"))))
    told = capsys.readouterr().err
    assert "2400 8E1" in told and "?protocol=d0" not in told


def test_a_file_is_a_capture_and_anything_else_an_address(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"x")
    assert open_meter_source(str(tmp_path / "x.bin")).url == f"file:{tmp_path}/x.bin"
    assert open_meter_source("/dev/ttyUSB0").url == "/dev/ttyUSB0"
    assert open_meter_source("simulator:MT175").simulated
    with pytest.raises(UsageError, match="is not an address of a meter"):
        open_meter_source("ftp://x")
