import asyncio
from pathlib import Path

import pytest

from d0meter import d0_pty, meter
from iskra_server.codecs.d0 import session
from iskra_server.codecs.d0.encoder import BREAK, request
from iskra_server.simulator.d0_meter import D0Meter
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources import shared_line
from iskra_server.sources.errors import SourceError
from iskra_server.sources.polled import d0_source
from iskra_server.sources.reconnect import Reconnecting
from iskra_server.sources.serial import open_serial
from iskra_server.sources.shared_line import open_shared
from sources.polling import messages
from sources.ptys import Heard, listening, until

# nobody reads single registers of it
IDENT = "ISk5MT171-0133"
ADDRESSES = ("70000001", "70000002")
DEADLINE_S = 60.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_line, "_PAUSE_S", 0.1)
    monkeypatch.setattr(session, "PAUSE_S", 0.1)
    monkeypatch.setattr(session, "ANSWER_S", 0.6)


def at(address: str, **options: object) -> D0Meter:
    lines = [f"0.0.0({address})", "1.8.0(0033402.264*kWh)"]
    return meter(IDENT, lines, address=address, start_baud=9600, **options)  # type: ignore[arg-type]


def sharing(path: str, address: str, interval_s: float = 0.2) -> Reconnecting:
    return d0_source(f"{path}?address={address}", path, address=address, baud=9600, interval_s=interval_s)


def serials(heard: Heard) -> set[str]:
    """The last digits of the meters that were read."""
    results = [result for chunk in heard.chunks for result in chunk.results or ()]
    return {getattr(result, "meter_id", "fault")[-8:] for result in results}


def test_two_meters_on_a_line_are_polled_in_turn_until_one_is_removed() -> None:
    async def main() -> None:
        wire = D0Wire([at(address) for address in ADDRESSES], baud=9600)
        async with d0_pty(wire) as path:
            sources = [sharing(path, address) for address in ADDRESSES]
            async with listening(sources[0]) as first:
                async with listening(sources[1]) as second:
                    await until(lambda: len(list(messages(wire))) >= 8, DEADLINE_S)
                    await until(lambda: serials(first) and serials(second), DEADLINE_S)
                    assert [source.state.port for source in sources] == [f"{path}?address={each}" for each in ADDRESSES]
                    assert [source.state.poll for source in sources] == ["read", "read"]
                    count = len(wire.meters[1].received)
                    await until(lambda: wire.meters[1].received[count:][-1:] == [b"\x06050\r\n"], DEADLINE_S)
                # in the middle of its readout
                await until(lambda: wire.meters[1].received[-1] == BREAK)
                before = len(first.chunks)
                await until(lambda: any(chunk.results for chunk in first.chunks[before:]), DEADLINE_S)
        assert (serials(first), serials(second)) == ({ADDRESSES[0]}, {ADDRESSES[1]})
        sent = list(messages(wire))
        requests = [place for place, message in enumerate(sent) if message.startswith(b"/")]
        assert {sent[place] for place in requests} == {request(address) for address in ADDRESSES}
        # every request is followed by its acknowledgement: nothing comes in between
        assert all(message.startswith(b"\x06") for place in requests for message in sent[place + 1 : place + 2])

    asyncio.run(main())


def test_a_meter_that_does_not_answer_leaves_the_line_to_the_other() -> None:
    async def main() -> None:
        wire = D0Wire([at(ADDRESSES[1])], baud=9600)
        async with d0_pty(wire) as path:
            sources = [sharing(path, address) for address in ADDRESSES]
            async with listening(sources[0]) as first, listening(sources[1]) as second:
                await until(lambda: sources[0].state.poll and serials(second), DEADLINE_S)
        assert serials(first) == set()
        assert sources[0].state.is_open is False

    asyncio.run(main())


def test_a_port_that_was_lost_is_opened_again_for_both(tmp_path: Path) -> None:
    async def main() -> None:
        by_id = tmp_path / "rs485"
        wire, other = (D0Wire([at(address) for address in ADDRESSES], baud=9600) for _ in range(2))
        sources = [sharing(str(by_id), address) for address in ADDRESSES]
        async with (
            d0_pty(other) as second_path,
            listening(sources[0]) as first,
            listening(sources[1]) as second,
        ):
            async with d0_pty(wire) as path:
                by_id.symlink_to(path)
                await until(lambda: serials(first) and serials(second), DEADLINE_S)
                by_id.unlink()
            await until(lambda: all(source.state.problem for source in sources), DEADLINE_S)
            by_id.symlink_to(second_path)
            await until(lambda: all(source.state.poll == "read" for source in sources), DEADLINE_S)

    asyncio.run(main())


def test_between_two_polls_both_meters_notice_that_the_port_was_unplugged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # who has not answered in time is asked again an hour later
    monkeypatch.setattr(session, "ANSWER_S", DEADLINE_S)

    async def main() -> None:
        by_id = tmp_path / "rs485"
        wire = D0Wire([at(address) for address in ADDRESSES], baud=9600)
        sources = [sharing(str(by_id), address, interval_s=3600.0) for address in ADDRESSES]
        async with d0_pty(wire) as path:
            by_id.symlink_to(path)
            async with listening(sources[0]) as first, listening(sources[1]) as second:
                await until(lambda: serials(first) and serials(second), DEADLINE_S)
                sent = len(wire.written)
                by_id.unlink()
                await until(lambda: all(source.state.problem == "unplugged" for source in sources), DEADLINE_S)
                assert len(wire.written) == sent
                by_id.symlink_to(path)
                await until(lambda: all(source.state.is_open for source in sources), DEADLINE_S)

    asyncio.run(main())


def test_a_meter_that_comes_while_the_last_one_leaves_opens_the_port_behind_it() -> None:
    async def main() -> None:
        async with d0_pty(D0Wire([], baud=9600)) as path:
            first = await open_shared(path, path, 9600)
            leaving = asyncio.create_task(first.close())
            await asyncio.sleep(0)
            second = await open_shared(path, path, 9600)
            await leaving
            with pytest.raises(SourceError, match="named_twice"):
                await open_serial(path)
            await second.close()
            third = await open_shared(path, path, 300)
            assert third.settings.baud == 300
            await third.close()

    asyncio.run(main())


def test_meters_that_notice_a_loss_one_after_the_other_share_the_new_port(tmp_path: Path) -> None:
    async def main() -> None:
        by_id = tmp_path / "rs485"
        async with d0_pty(D0Wire([], baud=9600)) as path, d0_pty(D0Wire([], baud=9600)) as other:
            by_id.symlink_to(path)
            lines = [await open_shared(str(by_id), address, 9600) for address in ADDRESSES]
            by_id.unlink()
            by_id.symlink_to(other)
            again = []
            for line, address in zip(lines, ADDRESSES, strict=True):
                with pytest.raises(SourceError, match="unplugged"):
                    await line.begin_turn(0.0)
                await line.close()
                again.append(await open_shared(str(by_id), address, 9600))
            for line in again:
                await line.begin_turn(0.0)
                await line.close()
            # the first port is free
            await (await open_serial(path)).close()

    asyncio.run(main())
