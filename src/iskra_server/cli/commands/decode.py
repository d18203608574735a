"""`decode`: show the telegrams of a capture, binary or hex text of any program."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from iskra_server.cli.ui import meter_keys, telegram_text
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.options import Json, Quiet, command_app, examples
from iskra_server.cli.ui.telegram_text import plural
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.codecs import marks
from iskra_server.codecs.decoder import detect
from iskra_server.codecs.text.identification import START
from iskra_server.codecs.text.parity import SEVEN_BITS
from iskra_server.meter.reading import Fault, Reading, Register
from iskra_server.reading.decoding import Decoding
from iskra_server.sources import hextext

app = command_app()
CHUNK = 64 * 1024
# smaller files are done before a progress bar would show
_LARGE = 4 * 1024 * 1024
_BEGINNING = 512
# at the beginning of a line: in the right column of a dump other characters stand before it
_TEXT_TELEGRAM = re.compile(rb"^" + START.pattern, re.MULTILINE)
# a server id has ten bytes
_SHOWN_BYTES = 10
_EXAMPLES = examples(
    {
        "iskra-server decode capture.bin": "raw bytes, as recorded",
        "iskra-server decode --json capture.bin": "one JSON object per telegram",
        "od -tx1 capture.bin | iskra-server decode -": "any kind of hex text",
    }
)


@app.command(epilog=_EXAMPLES)
def decode(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|-", help="Binary or hex text (od, xxd, hexdump, logs); - is standard input."),
    ],
    *,
    json: Json = False,
    quiet: Quiet = False,
    key_file: meter_keys.KeyFile = None,
    auth_key_file: meter_keys.AuthKeyFile = None,
    layouts_file: meter_keys.LayoutsFile = None,
    system_title: meter_keys.SystemTitle = "",
) -> None:
    """Show the telegrams of a capture, and what is damaged. Exit status 1 if it has no telegram."""
    console = text_console()
    decoding = meter_keys.from_files(key_file, auth_key_file, layouts_file, system_title)
    tally = Tally()
    with ExitStack() as stack:
        chunks = _read(stack, file, quiet=quiet)
        for item in tally.count(items(chunks, decoding)):
            if json:
                print(telegram_text.as_json(item))
            elif console.is_terminal:
                console.print(_render(item))
            else:
                print(*telegram_text.as_lines(item), sep="\n")
    if not json and not quiet:
        print(tally.sentence(), flush=True)
    raise typer.Exit(0 if tally.telegrams else 1)


def items(chunks: Iterable[bytes], decoding: Decoding) -> Iterator[Reading | Fault]:
    """Everything in a capture; a telegram cut off by its end is a fault. The first chunk decides the protocol."""
    rest = iter(chunks)
    first = next(rest, b"")
    protocol = detect(first) or "sml"
    decoder, pending = decoding.decoder(protocol), b""
    for chunk in chain([first], rest):
        yield from decoder.feed(chunk)
        pending = (pending + chunk)[-decoder.pending :] if decoder.pending else b""
    yield from _rest(protocol, pending)


def _rest(protocol: str, pending: bytes) -> Iterator[Fault]:
    """The end of a capture: noise, and behind it the beginning of a telegram."""
    begun = (place for place, protocols in marks.find(pending) if protocol in protocols)
    noise = next(begun, len(pending))
    if noise:
        yield Fault("noise", f"{noise} bytes outside of telegrams", noise)
    if noise < len(pending):
        yield Fault("cut", "the capture ends inside this telegram", len(pending) - noise)


class Tally:
    """Counts telegrams, faults and bytes."""

    def __init__(self) -> None:
        self.telegrams = 0
        self.byte_count = 0
        self.faults: dict[str, int] = {}

    def count(self, items: Iterable[Reading | Fault]) -> Iterator[Reading | Fault]:
        for item in items:
            self.byte_count += item.byte_count
            if isinstance(item, Fault):
                self.faults[item.kind] = self.faults.get(item.kind, 0) + 1
            else:
                # a sub-meter is read with the telegram of another one
                self.telegrams += not item.channel
            yield item

    def sentence(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        faults = f"{plural(sum(self.faults.values()), 'fault')} ({kinds})" if kinds else "no fault"
        return f"{plural(self.telegrams, 'telegram')}, {faults}, {plural(self.byte_count, 'byte')}."


def _read(stack: ExitStack, name: str, *, quiet: bool) -> Iterator[bytes]:
    """The bytes of a capture in chunks; hex text is converted first."""
    try:
        file = _open(stack, name)
        beginning = os.read(file.fileno(), CHUNK)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from None
    if not beginning:
        raise UsageError(f"{_named(name)} is empty; record a capture with iskra-server record -o FILE.", status=1)
    if hextext.is_text(beginning[:_BEGINNING]) and not _TEXT_TELEGRAM.search(beginning.translate(SEVEN_BITS)):
        return iter([_from_text(name, beginning + file.read())])
    size = os.fstat(file.fileno()).st_size
    chunks = _binary(file, beginning)
    return _with_progress(stack, chunks, size) if size > _LARGE and not quiet else chunks


def _open(stack: ExitStack, name: str) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    return stack.enter_context(Path(name).open("rb"))


def _binary(file: BinaryIO, beginning: bytes) -> Iterator[bytes]:
    chunk = beginning
    while chunk:
        yield chunk
        chunk = os.read(file.fileno(), CHUNK)


def _from_text(name: str, text: bytes) -> bytes:
    try:
        return hextext.parse(text)
    except hextext.NotADump as error:
        raise UsageError(f"{_named(name)} {error}.") from None


def _with_progress(stack: ExitStack, chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """With a progress bar on stderr if that is a terminal."""
    console = text_console(stderr=True)
    progress = stack.enter_context(Progress(console=console, transient=True, disable=not console.is_terminal))
    task = progress.add_task("decoding", total=size)
    for chunk in chunks:
        yield chunk
        progress.advance(task, len(chunk))


def _named(name: str) -> str:
    return "The input" if name == "-" else name


def _render(item: Reading | Fault) -> Table | Text:
    """A telegram or a fault for a terminal."""
    if isinstance(item, Fault):
        return Text(f"! {telegram_text.fault_sentence(item)}", style="red")
    table = Table(
        title=Text(f"\n{telegram_text.heading(item)}"),
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 1, 0, 0),
        header_style="dim",
    )
    table.add_column("OBIS", style="cyan", no_wrap=True)
    table.add_column("name", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True, style="bold")
    table.add_column("raw", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for register in item.registers:
        cells = (register.obis.short, telegram_text.name(register), _short_value(register))
        table.add_row(*cells, telegram_text.raw_text(register), telegram_text.status_text(register))
    return table


def _short_value(register: Register) -> str:
    """As in plain lines, but long binary values such as keys are shortened."""
    if isinstance(register.raw, bytes) and len(register.raw) > _SHOWN_BYTES and not register.text:
        return f"{register.raw[:3].hex()}... {len(register.raw)} bytes"
    return telegram_text.value_text(register)
