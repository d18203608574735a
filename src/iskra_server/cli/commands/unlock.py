"""`unlock`: how the PIN is entered at the meter, and what the telegrams say about it meanwhile."""

import asyncio
import sys
from contextlib import aclosing, suppress
from typing import Annotated

import typer

from iskra_server.base.clock import boottime_s
from iskra_server.cli.ui import loop
from iskra_server.cli.ui.language import Lang, Language
from iskra_server.cli.ui.lesson import Board, Lesson
from iskra_server.cli.ui.observe import configured
from iskra_server.cli.ui.options import ConfigFile, examples, single
from iskra_server.cli.ui.phrases import PHRASES
from iskra_server.cli.ui.refusal import Refused
from iskra_server.cli.ui.source import named_source, unattended
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.diagnosis.unlocking import Unlocking
from iskra_server.meter.identity import family
from iskra_server.meter.lock import KWH_SCALER, has_power
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading
from iskra_server.sources.source import Source

app = single()
_EXAMPLES = examples(
    {
        "iskra-server unlock": "the head that is found",
        "iskra-server unlock /dev/ttyUSB0": "this port",
        "iskra-server unlock --lang de": "in German",
    }
)
_IMPORT = Obis.parse("1.8.0")


@app.command(epilog=_EXAMPLES)
def unlock(
    *,
    meter: Annotated[
        str | None,
        typer.Argument(metavar="[METER_URL]", help="Where the meter is.", show_default="as configured, else auto"),
    ] = None,
    lang: Lang,
    config: ConfigFile = None,
) -> None:
    """Help to enter the PIN at the meter, and watch it take effect. Exit status 0 once it stays unlocked.

    The PIN is neither asked for nor kept.
    """
    settings = configured(config, [meter] if meter else None)
    if len(settings.meters) > 1:
        raise Refused(f"There are {len(settings.meters)} meters; name one, such as {settings.meters[0].url}.")
    coach = Coach(named_source(settings.meters[0].url), lang)
    loop.run(coach.run())
    raise typer.Exit(0 if coach.unlocking.done else 1)


class Coach:
    """Watches the telegrams; leads through the steps where somebody sits at the keyboard."""

    def __init__(self, source: Source, language: Language) -> None:
        self.unlocking = Unlocking()
        self._source = source
        self._phrases = PHRASES[language]
        self._board = Board()
        self._lesson: asyncio.Task[None] | None = None

    async def run(self) -> None:
        lesson = Lesson(self._board, self._phrases)
        decoder = SmlDecoder()
        self._board.say(self._phrases.listening)
        try:
            async with aclosing(unattended(self._source)) as chunks:
                async for data in chunks:
                    for item in decoder.feed(data):
                        if isinstance(item, Reading):
                            self._saw(item, lesson)
                    if self.unlocking.done:
                        return
        finally:
            await self._end_lesson()

    def _saw(self, reading: Reading, lesson: Lesson) -> None:
        total = reading.get(_IMPORT)
        digits = total is not None and total.value is not None and (total.scaler or 0) < KWH_SCALER
        now_s = float(reading.meter_time.seconds) if reading.meter_time else boottime_s()
        for event in self.unlocking.saw(digits=digits, power=has_power(reading), now_s=now_s):
            if event in ("locked", "unlocked"):
                self._board.say(f"{reading.meter_id}  {family(reading) or self._phrases.stranger}")
            self._board.say(self._phrases.events[event])
            if event == "locked":
                self._begin(lesson)
            elif event == "falls_back":
                lesson.unlocked.set()
            elif event == "fell_back":
                lesson.unlocked.clear()

    def _begin(self, lesson: Lesson) -> None:
        for line in self._phrases.instructions:
            self._board.say(line)
        if sys.stdin.isatty():
            asyncio.get_running_loop().add_reader(sys.stdin, _read_line, lesson)
            self._lesson = asyncio.create_task(lesson.run(), name="lesson")

    async def _end_lesson(self) -> None:
        self._board.end()
        if self._lesson:
            asyncio.get_running_loop().remove_reader(sys.stdin)
            self._lesson.cancel()
            with suppress(asyncio.CancelledError):
                await self._lesson


def _read_line(lesson: Lesson) -> None:
    """Whatever was typed, only that Enter was pressed is taken."""
    if sys.stdin.readline():
        lesson.enter.set()
    else:
        asyncio.get_running_loop().remove_reader(sys.stdin)
