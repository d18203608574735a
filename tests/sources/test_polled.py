import asyncio

from d0meter import Meter
from iskra_server.codecs.d0.speeds import Learned
from iskra_server.meter.reading import Reading
from iskra_server.sources.polled import d0_source
from sources.d0_ports import plugged_in
from sources.ptys import listening, until


def test_a_meter_is_asked_and_read_at_the_speed_that_it_offers() -> None:
    learned: list[Learned] = []

    async def main() -> None:
        with plugged_in(Meter()) as port:
            source = d0_source(port.path, port.path, on_learned=learned.append)
            async with listening(source) as heard:
                await until(lambda: source.state.poll, 15)
                assert (source.state.poll, source.state.protocol, str(source.state.line)) == ("read", "d0", "300 8N1")
            results = [result for chunk in heard.chunks for result in chunk.results or ()]
            assert [type(result) for result in results] == [Reading]
            assert port.sent == b"/?!\r\n\x06050\r\n"

    asyncio.run(main())
    assert learned == [Learned("5")]
