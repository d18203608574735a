"""`unlock`: how to enter the PIN at the meter, while the telegrams show whether it worked."""

import asyncio
import sys
from contextlib import aclosing, suppress
from typing import Annotated

import typer

from iskra_server.base.clock import boottime_s
from iskra_server.base.language import Language
from iskra_server.cli.ui import loop
from iskra_server.cli.ui.meter_source import chunks_or_error, open_meter_source
from iskra_server.cli.ui.observe import config_with_one_meter
from iskra_server.cli.ui.options import ConfigFile, Lang, command_app, examples
from iskra_server.cli.ui.unlock_lesson import Board, Lesson
from iskra_server.cli.ui.unlock_texts import PHRASES
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.codecs.decoder import is_telegram
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.diagnosis.unlocking import Unlocking
from iskra_server.meter.identity import family
from iskra_server.meter.lock import KWH_SCALER, has_power
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading
from iskra_server.reading.decoding import results
from iskra_server.sources.source import Source

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server unlock": "head found automatically",
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
        typer.Argument(
            metavar="[METER_URL]", help="Where the meter is: a port or URL.", show_default="configured, else auto"
        ),
    ] = None,
    lang: Lang,
    config: ConfigFile = None,
) -> None:
    """Guide you through entering the PIN at the meter. Exit status 0 once the meter stays unlocked.

    Only ISKRA meters that send SML have a PIN. It is neither asked for nor stored.
    """
    settings = config_with_one_meter(config, meter)
    url = settings.meters[0].url
    coach = Coach(open_meter_source(url), lang)
    loop.run(coach.run())
    if coach.other_protocol:
        raise UsageError(PHRASES[lang].no_pin.format(url=url, protocol=coach.other_protocol.upper()), status=1)
    if not coach.telegrams:
        raise UsageError(PHRASES[lang].no_telegram.format(url=url), status=1)
    raise typer.Exit(0 if coach.unlocking.done else 1)


class Coach:
    """Watches the telegrams, and guides through the steps if stdin is a terminal."""

    def __init__(self, source: Source, language: Language) -> None:
        self.unlocking = Unlocking()
        self.telegrams = 0
        # the protocol of a meter that has no PIN
        self.other_protocol = ""
        self._source = source
        self._language: Language = language
        self._phrases = PHRASES[language]
        self._board = Board()
        self._lesson: asyncio.Task[None] | None = None

    async def run(self) -> None:
        lesson = Lesson(self._board, self._phrases)
        decoder = DetectingDecoder()
        self._board.show(self._phrases.listening)
        try:
            async with aclosing(chunks_or_error(self._source, self._language)) as chunks:
                async for chunk in chunks:
                    for item in results(decoder, chunk):
                        if isinstance(item, Reading) and item.protocol == "sml":
                            self.telegrams += 1
                            self._observe(item, lesson)
                        elif is_telegram(item):
                            self.other_protocol = item.protocol if isinstance(item, Reading) else decoder.protocol
                    if self.unlocking.done or self.other_protocol:
                        return
        finally:
            await self._end_lesson()

    def _observe(self, reading: Reading, lesson: Lesson) -> None:
        total = reading.get(_IMPORT)
        digits = total is not None and total.value is not None and (total.scaler or 0) < KWH_SCALER
        now_s = float(reading.meter_time.seconds) if reading.meter_time else boottime_s()
        for event in self.unlocking.observe(digits=digits, power=has_power(reading), now_s=now_s):
            if event in ("locked", "unlocked"):
                self._board.show(f"{reading.meter_id}  {family(reading) or self._phrases.other_maker}")
            self._board.show(self._phrases.events[event])
            if event == "locked":
                self._begin(lesson)
            elif event == "falls_back":
                lesson.unlocked.set()
            elif event == "fell_back":
                lesson.unlocked.clear()

    def _begin(self, lesson: Lesson) -> None:
        for line in self._phrases.instructions:
            self._board.show(line)
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
    """Only that Enter was pressed matters, not what was typed."""
    if sys.stdin.readline():
        lesson.enter.set()
    else:
        asyncio.get_running_loop().remove_reader(sys.stdin)
