"""`align`: the share of valid telegrams, every second, while the head is being moved."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from decimal import Decimal
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from iskra_server.base.language import Language
from iskra_server.cli.ui import loop
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.meter_source import TICK_S
from iskra_server.cli.ui.observe import (
    PORT_IN_USE,
    config_with_one_meter,
    make_readers,
    servers_that_read,
    status_from_server,
    watch_statuses,
)
from iskra_server.cli.ui.options import ConfigFile, Json, Lang, command_app, examples
from iskra_server.cli.ui.stream_stats import sparkline
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import Config
from iskra_server.diagnosis.checks import VALID_RATIO
from iskra_server.diagnosis.facts import ALIGN_S, StreamQuality
from iskra_server.diagnosis.status import Status

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server align": "head found automatically",
        "iskra-server align --sound": "a tone for each valid telegram",
        "iskra-server align --lang de": "in German",
        "iskra-server align --seconds 60 /dev/ttyUSB0": "for a minute",
    }
)
_EVERY_S = 1.0
_SHOWN_S = 60
# compared with the share so long ago: did the last move help?
_TREND_S = 3
_BAR = 40


class AlignSample(Struct, frozen=True):
    """Reception over the last 10 s, once a second. `trend`: 1 better, 0 the same, -1 worse than 3 s before."""

    quality: StreamQuality
    trend: int
    sentence: str


@app.command(epilog=_EXAMPLES)
def align(
    *,
    meter: Annotated[
        str | None,
        typer.Argument(
            metavar="[METER_URL]", help="Where the meter is: a port or URL.", show_default="configured, else auto"
        ),
    ] = None,
    sound: Annotated[bool, typer.Option("--sound", help="Ring the terminal bell for each valid telegram.")] = False,
    seconds: Annotated[
        int | None, typer.Option("--seconds", min=1, metavar="N", help="Stop after N seconds.", show_default="never")
    ] = None,
    lang: Lang,
    json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Show the share of valid telegrams while you move the head. Exit status 0 if it is good at the end, else 1."""
    settings = config_with_one_meter(config, meter)
    console = text_console()
    bell = console.bell if sound and console.is_terminal else None
    aligning = Aligning(settings, bell=bell, seconds=seconds, lang="en" if json else lang)
    if json or not console.is_terminal:
        loop.run(aligning.run(lambda sample: print(_as_json(sample) if json else as_line(sample, lang), flush=True)))
    else:
        with Live(console=console, auto_refresh=False, get_renderable=aligning.render) as live:
            loop.run(aligning.run(lambda _: live.refresh()))
    share = aligning.samples[-1].quality.valid_ratio if aligning.samples else None
    raise typer.Exit(0 if share is not None and share >= VALID_RATIO else 1)


class Aligning:
    """Samples one source every second."""

    def __init__(self, config: Config, *, bell: Callable[[], None] | None, seconds: int | None, lang: Language) -> None:
        self.samples: deque[AlignSample] = deque(maxlen=_SHOWN_S)
        self._config = config
        self._bell = bell
        self._seconds = seconds
        self._lang = lang
        self._telegrams = 0
        self._port = ""

    async def run(self, on_sample: Callable[[AlignSample], object]) -> None:
        began_s, shown = None, 0
        async with aclosing(self._statuses()) as statuses:
            async for status in statuses:
                self._ring(status)
                # opening takes seconds on a small or busy computer: they say nothing about how the head sits
                if began_s is None and status.advice.fault != "opening":
                    began_s = time.monotonic()
                if began_s is None or time.monotonic() - began_s < (shown + 1) * _EVERY_S:
                    continue
                shown += 1
                self._add_sample(status)
                on_sample(self.samples[-1])
                if shown == self._seconds:
                    return

    async def _statuses(self) -> AsyncGenerator[Status]:
        """From the port, or from the server if that has the port open."""
        async with aclosing(watch_statuses(make_readers(self._config))) as observations:
            async for (status,) in observations:
                if status.facts.problem in PORT_IN_USE:
                    break
                yield status
        (read,) = await servers_that_read(self._config.server, [status])
        answer = read and read.status
        while read and answer:
            yield answer
            await asyncio.sleep(TICK_S)
            answer = await status_from_server(read.server, status)
        raise UsageError(status.sentence, status=1)

    def _ring(self, status: Status) -> None:
        """One tone for the telegrams that arrived since the last call."""
        telegrams, self._telegrams = status.facts.telegrams - self._telegrams, status.facts.telegrams
        if self._bell and telegrams > 0:
            self._bell()

    def _add_sample(self, status: Status) -> None:
        quality = status.facts.last_10s or StreamQuality(ALIGN_S, 0, 0, 0, 0, None)
        before = self.samples[-_TREND_S].quality if len(self.samples) >= _TREND_S else quality
        trend = (quality.valid_ratio or 0) - (before.valid_ratio or 0)
        self._port = status.port
        # the share already tells about damaged telegrams
        words = status.advice.de if self._lang == "de" else status.advice.en
        self.samples.append(AlignSample(quality, (trend > 0) - (trend < 0), "" if status.ok else str(words)))

    def render(self) -> RenderableType:
        if not self.samples:
            return Text(_WORDS[self._lang].listening, style="dim")
        sample = self.samples[-1]
        share = sample.quality.valid_ratio
        style = "dim" if share is None else "bold green" if share >= VALID_RATIO else "bold red"
        shares = deque(_decimal(sample.quality.valid_ratio) for sample in self.samples)
        return Group(
            Text.assemble(
                (self._port, "dim"), "  ", (_percent(share), style), f"  {_WORDS[self._lang].trend[sample.trend]}"
            ),
            Text("█" * round(_BAR * (share or 0)) + "░" * (_BAR - round(_BAR * (share or 0))), style=style),
            Text(sparkline(shares, (0, 1)), style="green"),
            Text(_counts(sample.quality, self._lang), style="dim"),
            Text(sample.sentence, style="yellow"),
        )


def as_line(sample: AlignSample, lang: Language = "en") -> str:
    """ " 90 %  better   9 of 10 telegrams valid, 4210 bytes" """
    trend = f"{_WORDS[lang].trend[sample.trend]:{max(map(len, _WORDS[lang].trend.values()))}}"
    parts = (f"{_percent(sample.quality.valid_ratio):>5}", trend, _counts(sample.quality, lang))
    return "  ".join((*parts, sample.sentence)).rstrip()


def _as_json(sample: AlignSample) -> str:
    return msgspec.json.encode(sample).decode()


class _Words(Struct, frozen=True):
    listening: str
    trend: dict[int, str]
    counts: str


_WORDS: dict[Language, _Words] = {
    "en": _Words(
        "Listening ...",
        {1: "better", 0: "", -1: "worse"},
        "{valid} of {began} telegrams valid within {seconds} s, {bytes} bytes",
    ),
    "de": _Words(
        "Warte auf Telegramme ...",
        {1: "besser", 0: "", -1: "schlechter"},
        "{valid} von {began} Telegrammen gültig in {seconds} s, {bytes} Byte",
    ),
}


def _percent(share: float | None) -> str:
    return "- %" if share is None else f"{100 * share:.0f} %"


def _counts(quality: StreamQuality, lang: Language) -> str:
    began, seconds, byte_count = quality.valid + quality.damaged, quality.seconds, quality.byte_count
    return _WORDS[lang].counts.format(valid=quality.valid, began=began, seconds=seconds, bytes=byte_count)


def _decimal(share: float | None) -> Decimal:
    return Decimal(str(share or 0))
