"""`read`: a meter's values, live."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import aclosing
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from iskra_server.cli.ui import loop, telegrams
from iskra_server.cli.ui.hexlines import HexLines
from iskra_server.cli.ui.options import Json, examples, single
from iskra_server.cli.ui.screen import Screen
from iskra_server.cli.ui.source import MeterUrl, named_source, ticking, unattended
from iskra_server.cli.ui.stream_stats import Quality
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.normalise import Memory, merged, normalise
from iskra_server.meter.reading import Fault, Reading
from iskra_server.sources.source import Source

app = single()
_EXAMPLES = examples(
    {
        "iskra-server read": "find the head, show its meter",
        "iskra-server read --raw /dev/ttyUSB0": "the bytes as they arrive",
        "iskra-server read --json tcp://host:2001": "one JSON object a telegram",
        "iskra-server read --count 1": "one telegram, and done",
    }
)


@app.command(epilog=_EXAMPLES)
def read(
    url: MeterUrl = "auto",
    raw: Annotated[bool, typer.Option("--raw", help="Show the bytes in hex as they arrive.")] = False,
    json: Json = False,
    count: Annotated[int | None, typer.Option("--count", min=1, metavar="N", help="End after N telegrams.")] = None,
) -> None:
    """Show the values of a meter live in the terminal."""
    source, quality = named_source(url), Quality()
    console = Console(highlight=False)
    if raw:
        loop.run(_raw(source, quality, count))
    elif json or not console.is_terminal:
        loop.run(_lines(source, quality, count, json=json))
    else:
        loop.run(_live(source, quality, count, console))
    raise typer.Exit(0 if quality.telegrams else 1)


class _Decoding:
    """What bytes complete, as the server shows it; one per source."""

    def __init__(self) -> None:
        self._decoder = SmlDecoder()
        self._memories: defaultdict[bytes, Memory] = defaultdict(Memory)

    def items(self, data: bytes) -> Iterator[Reading | Fault]:
        for item in merged(self._decoder.feed(data)):
            if isinstance(item, Reading):
                yield normalise(item, self._memories[item.server_id])[0]
            else:
                yield item


async def _raw(source: Source, quality: Quality, count: int | None) -> None:
    decoding, lines = _Decoding(), HexLines()
    try:
        async with aclosing(unattended(source)) as chunks:
            async for data in chunks:
                print(lines.feed(data), end="", flush=True)
                for item in decoding.items(data):
                    quality.add(item)
                if count and quality.telegrams >= count:
                    return
    finally:
        print(lines.end(), end="", flush=True)


async def _lines(source: Source, quality: Quality, count: int | None, *, json: bool) -> None:
    decoding = _Decoding()
    async with aclosing(unattended(source)) as chunks:
        async for data in chunks:
            for item in decoding.items(data):
                quality.add(item)
                print(_line(item, json=json), flush=True)
                if count and quality.telegrams >= count:
                    return


def _line(item: Reading | Fault, *, json: bool) -> str:
    if json:
        return telegrams.as_json(item)
    return telegrams.as_line(item) if isinstance(item, Reading) else f"! {telegrams.fault_sentence(item)}"


async def _live(source: Source, quality: Quality, count: int | None, console: Console) -> None:
    decoding, screen = _Decoding(), Screen(source, quality)
    with Live(console=console, auto_refresh=False, get_renderable=screen.render) as live:
        async with aclosing(ticking(source)) as chunks:
            async for data in chunks:
                for item in decoding.items(data):
                    quality.add(item)
                if screen.is_due():
                    live.refresh()
                if count and quality.telegrams >= count:
                    return
