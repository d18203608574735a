"""`record`: write the bytes of a meter to a file as they arrive."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from iskra_server.cli.ui import loop, meter_keys
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.meter_source import MeterUrl, chunks_or_error, open_meter_source
from iskra_server.cli.ui.options import Quiet, command_app, examples
from iskra_server.cli.ui.telegram_text import plural
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.codecs.decoder import is_telegram
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.codecs.dlms.security import TEST_KEYS
from iskra_server.meter.reading import Fault, Reading
from iskra_server.reading.decoding import results
from iskra_server.redact.masking import Masking
from iskra_server.sources.source import Chunk, LineSettings

app = command_app()
_COLUMNS = (TextColumn("Recording"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
_EXAMPLES = examples(
    {
        "iskra-server record -o meter.bin": "until Ctrl+C",
        "iskra-server record -o meter.bin --seconds 60": "for a minute",
        "iskra-server record -o meter.bin --mask": "without serial number and keys",
    }
)

_RESEALED = (
    f"Encrypted telegrams are encrypted again with the published test keys: {TEST_KEYS.encryption.hex()}, and "
    f"{TEST_KEYS.authentication.hex()} for their tags."
)


@app.command(epilog=_EXAMPLES)
def record(
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="File to write; must not exist.")],
    url: MeterUrl = "auto",
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, metavar="S", help="Stop after S seconds.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--telegrams", min=1, metavar="N", help="Stop after N telegrams.")
    ] = None,
    mask: Annotated[
        bool,
        typer.Option(
            "--mask",
            help="Replace serial numbers; blank damaged parts and encrypted content. With --key-file that content is "
            "masked and encrypted again with the published test keys.",
        ),
    ] = False,
    key_file: meter_keys.KeyFile = None,
    auth_key_file: meter_keys.AuthKeyFile = None,
    quiet: Quiet = False,
) -> None:
    """Record what a meter sends, for a bug report."""
    keys = meter_keys.from_files(key_file, auth_key_file, None).keys
    recording = Recording(output, Masking(keys=keys) if mask else None, is_quiet=quiet)
    console = text_console(stderr=True)
    try:
        source = open_meter_source(url, on_unrecognised=recording.add_unrecognised)
        with Progress(*_COLUMNS, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
            loop.run(_record(chunks_or_error(source), recording, Limits(seconds, count), progress))
    finally:
        recording.end()
    if not quiet:
        print(recording.sentence(), file=sys.stderr)
    raise typer.Exit(0 if recording.byte_count else 1)


class Limits(Struct, frozen=True):
    """When a recording ends by itself; None for no limit."""

    seconds: float | None
    telegrams: int | None


class Recording:
    """The file: each chunk is written, unbuffered, before the next one is read."""

    def __init__(self, path: Path, masking: Masking | None, *, is_quiet: bool = False) -> None:
        self.byte_count = 0
        self.telegrams = 0
        self._path = path
        self._masking = masking
        self._is_quiet = is_quiet
        self._received = 0
        self._decoder = DetectingDecoder()
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError:
            raise UsageError(f"{path} exists already; choose another name.") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None

    def add(self, chunk: Chunk) -> None:
        self.telegrams += sum(_is_telegram(item) for item in results(self._decoder, chunk))
        self._add(chunk.data)

    def add_unrecognised(self, port: str, settings: LineSettings, data: bytes) -> None:
        """Bytes from a search: readers of the file must know at which speed they were read."""
        if not self._is_quiet:
            where = f"{plural(len(data), 'byte')} from byte {self._received:,} on"
            print(f"{self._path}: {where} were read from {port} at {settings}; no telegram in them.", file=sys.stderr)
        self._add(data)

    def _add(self, data: bytes) -> None:
        self._received += len(data)
        self._write(self._masking.feed(data) if self._masking else data)

    def end(self) -> None:
        """Close the file; delete it if nothing arrived."""
        with self._file:
            if self._masking:
                self._write(self._masking.end())
        if not self.byte_count:
            self._path.unlink(missing_ok=True)

    def sentence(self) -> str:
        if not self.byte_count:
            return "Nothing arrived, so nothing was recorded."
        blanked = self._masking.blanked if self._masking else 0
        masked = f"; {plural(blanked, 'byte')} outside valid telegrams were set to zero" if blanked else ""
        said = f"{self._path}: {plural(self.telegrams, 'telegram')}, {plural(self.byte_count, 'byte')}{masked}."
        return f"{said} {_RESEALED}" if self._masking and self._masking.resealed else said

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                written = self._file.write(left)
                self.byte_count += written
                left = left[written:]
        except OSError as error:
            self._masking = None
            kept = f"the first {plural(self.byte_count, 'byte')} are kept"
            raise UsageError(f"{self._path} is incomplete: {error.strerror}; {kept}.", status=1) from None


def _is_telegram(item: Reading | Fault) -> bool:
    """Encrypted telegrams count, sub-meters come with the telegram of another meter."""
    return is_telegram(item) and not (isinstance(item, Reading) and item.channel)


async def _record(chunks: AsyncGenerator[Chunk], recording: Recording, limits: Limits, progress: Progress) -> None:
    task = progress.add_task("", total=limits.telegrams or limits.seconds)
    began_s = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(limits.seconds), aclosing(chunks):
            async for chunk in chunks:
                recording.add(chunk)
                done = recording.telegrams if limits.telegrams else time.monotonic() - began_s
                counts = f"{plural(recording.telegrams, 'telegram')}, {plural(recording.byte_count, 'byte')}"
                progress.update(task, completed=done, description=counts)
                if limits.telegrams and recording.telegrams >= limits.telegrams:
                    return
