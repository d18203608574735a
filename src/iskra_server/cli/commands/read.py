"""`read`: show the values of a meter live."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import aclosing
from shlex import quote
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from iskra_server.base.address import Address
from iskra_server.cli.ui import loop, meter_keys, telegram_text
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.hexlines import HexLines
from iskra_server.cli.ui.meter_source import MeterUrl, chunks_and_ticks, chunks_or_error, open_meter_source
from iskra_server.cli.ui.options import Json, command_app, examples
from iskra_server.cli.ui.screen import Screen
from iskra_server.cli.ui.stream_stats import StreamStats
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.codecs.decoder import Decoder
from iskra_server.meter.normalise import MeterMemory, merge_parts, normalise
from iskra_server.meter.reading import Fault, Reading
from iskra_server.reading.decoding import results
from iskra_server.sources.source import Chunk, Source

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server read": "find the head and show its meter",
        "iskra-server read --raw /dev/ttyUSB0": "the bytes as they arrive",
        "iskra-server read --json tcp://host:2001": "one JSON object per telegram",
        "iskra-server read --count 1": "stop after one telegram",
    }
)


@app.command(epilog=_EXAMPLES)
def read(
    url: MeterUrl = "auto",
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Show the bytes in hex as they arrive.")] = False,
    json: Json = False,
    count: Annotated[int | None, typer.Option("--count", min=1, metavar="N", help="Stop after N telegrams.")] = None,
    key_file: meter_keys.KeyFile = None,
    auth_key_file: meter_keys.AuthKeyFile = None,
    layouts_file: meter_keys.LayoutsFile = None,
    system_title: meter_keys.SystemTitle = "",
) -> None:
    """Show the values of a meter live in the terminal, whatever protocol it uses: SML, P1, D0 or DLMS.

    Keys and layouts are those of the options, else those that the configuration has for this meter. Values are those of
    the meter, without a transformer factor.

    Exit status 1 if no telegram arrived.
    """
    made = meter_keys.for_meter(url, key_file, auth_key_file, layouts_file, system_title)
    source, quality = open_meter_source(url), StreamStats()
    decoding = _Decoding(made.decoder(source.state.protocol))
    console = text_console()
    if raw:
        loop.run(_raw(source, decoding, quality, count))
    elif json or not console.is_terminal:
        loop.run(_lines(source, decoding, quality, count, json=json))
    else:
        loop.run(_live(source, decoding, quality, count, console))
    if not quality.telegrams:
        name = Address(url)
        unreadable = f" that can be read ({quality.sentence()})" if quality.unreadable else ""
        raise UsageError(
            f"No telegram{unreadable} arrived from {name}; iskra-server doctor {quote(str(name))} says why.",
            status=1,
        )


class _Decoding:
    """Decodes and normalises as the server does; one per source."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._memories: defaultdict[bytes, MeterMemory] = defaultdict(MeterMemory)

    def items(self, chunk: Chunk) -> Iterator[Reading | Fault]:
        for item in merge_parts(results(self._decoder, chunk)):
            if isinstance(item, Reading):
                yield normalise(item, self._memories[item.server_id])[0]
            else:
                yield item


async def _raw(source: Source, decoding: _Decoding, quality: StreamStats, count: int | None) -> None:
    lines = HexLines()
    try:
        async with aclosing(chunks_or_error(source)) as chunks:
            async for chunk in chunks:
                print(lines.feed(chunk.data), end="", flush=True)
                for item in decoding.items(chunk):
                    quality.add(item)
                if count and quality.telegrams >= count:
                    return
    finally:
        print(lines.end(), end="", flush=True)


async def _lines(source: Source, decoding: _Decoding, quality: StreamStats, count: int | None, *, json: bool) -> None:
    async with aclosing(chunks_or_error(source)) as chunks:
        async for chunk in chunks:
            for item in decoding.items(chunk):
                quality.add(item)
                print(_line(item, json=json), flush=True)
                if count and quality.telegrams >= count:
                    return


def _line(item: Reading | Fault, *, json: bool) -> str:
    if json:
        return telegram_text.as_json(item)
    return telegram_text.as_line(item) if isinstance(item, Reading) else f"! {telegram_text.fault_sentence(item)}"


async def _live(source: Source, decoding: _Decoding, quality: StreamStats, count: int | None, console: Console) -> None:
    screen = Screen(source, quality)
    with Live(console=console, auto_refresh=False, get_renderable=screen.render) as live:
        async with aclosing(chunks_and_ticks(source)) as chunks:
            async for chunk in chunks:
                for item in decoding.items(chunk):
                    quality.add(item)
                if screen.is_due():
                    live.refresh()
                if count and quality.telegrams >= count:
                    return
