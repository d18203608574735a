"""`align`: how well telegrams arrive, second by second, for who moves the head by a millimetre."""

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
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from iskra_server.cli.ui import loop
from iskra_server.cli.ui.observe import HELD, TICK_S, configured, observed, readers, told_by_server
from iskra_server.cli.ui.options import ConfigFile, Json, examples, single
from iskra_server.cli.ui.refusal import Refused
from iskra_server.cli.ui.stream_stats import sparkline
from iskra_server.config import Config
from iskra_server.diagnosis.chain import Status
from iskra_server.diagnosis.links import VALID_RATIO
from iskra_server.diagnosis.reception import ALIGN_S, Quality

app = single()
_EXAMPLES = examples(
    {
        "iskra-server align": "the head that is found",
        "iskra-server align --sound": "a tone for every good telegram",
        "iskra-server align --seconds 60 /dev/ttyUSB0": "for a minute",
    }
)
_EVERY_S = 1.0
_SHOWN_S = 60
# what the share was so long ago tells whether the last move was a good one
_TREND_S = 3
_BAR = 40


class Moment(Struct, frozen=True):
    """One second: the quality of the last ten, and how it moves: 1 better, 0 the same, -1 worse than 3 s before."""

    quality: Quality
    trend: int
    sentence: str


@app.command(epilog=_EXAMPLES)
def align(
    *,
    meter: Annotated[
        str | None,
        typer.Argument(metavar="[METER_URL]", help="Where the meter is.", show_default="as configured, else auto"),
    ] = None,
    sound: Annotated[bool, typer.Option("--sound", help="A tone of the terminal for every good telegram.")] = False,
    seconds: Annotated[
        int | None, typer.Option("--seconds", min=1, metavar="N", help="End after N seconds.", show_default="never")
    ] = None,
    json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Show how well telegrams arrive while you move the head. Exit status 0 if they do at the end, 1 if not."""
    settings = configured(config, [meter] if meter else None)
    if len(settings.meters) > 1:
        raise Refused(f"There are {len(settings.meters)} meters; name one, such as {settings.meters[0].url}.")
    console = Console(highlight=False)
    aligning = Aligning(settings, bell=console.bell if sound and console.is_terminal else None, seconds=seconds)
    if json or not console.is_terminal:
        loop.run(aligning.run(lambda moment: print(_as_json(moment) if json else as_line(moment), flush=True)))
    else:
        with Live(console=console, auto_refresh=False, get_renderable=aligning.render) as live:
            loop.run(aligning.run(lambda _: live.refresh()))
    share = aligning.moments[-1].quality.share if aligning.moments else None
    raise typer.Exit(0 if share is not None and share >= VALID_RATIO else 1)


class Aligning:
    """Looks at one source every second."""

    def __init__(self, config: Config, *, bell: Callable[[], None] | None, seconds: int | None) -> None:
        self.moments: deque[Moment] = deque(maxlen=_SHOWN_S)
        self._config = config
        self._bell = bell
        self._seconds = seconds
        self._heard = 0
        self._port = ""

    async def run(self, look: Callable[[Moment], object]) -> None:
        began_s, shown = time.monotonic(), 0
        async with aclosing(self._statuses()) as statuses:
            async for status in statuses:
                self._ring(status)
                if time.monotonic() - began_s < (shown + 1) * _EVERY_S:
                    continue
                shown += 1
                self._take(status)
                look(self.moments[-1])
                if shown == self._seconds:
                    return

    async def _statuses(self) -> AsyncGenerator[Status]:
        """From the port; where the server holds it, from the server."""
        async with aclosing(observed(readers(self._config))) as observations:
            async for (status,) in observations:
                if status.facts.problem in HELD:
                    break
                yield status
        while told := await told_by_server(self._config, status):
            yield told
            await asyncio.sleep(TICK_S)
        raise Refused(status.sentence, status=1)

    def _ring(self, status: Status) -> None:
        """One tone for every telegram that came since."""
        telegrams, self._heard = status.facts.telegrams - self._heard, status.facts.telegrams
        if self._bell and telegrams > 0:
            self._bell()

    def _take(self, status: Status) -> None:
        quality = status.facts.lately or Quality(ALIGN_S, 0, 0, 0, 0, None)
        before = self.moments[-_TREND_S].quality if len(self.moments) >= _TREND_S else quality
        trend = (quality.share or 0) - (before.share or 0)
        self._port = status.port
        # what is wrong with single telegrams is what the number says
        sentence = "" if status.ok else status.sentence
        self.moments.append(Moment(quality, (trend > 0) - (trend < 0), sentence))

    def render(self) -> RenderableType:
        if not self.moments:
            return Text("Listening ...", style="dim")
        moment = self.moments[-1]
        share = moment.quality.share
        style = "dim" if share is None else "bold green" if share >= VALID_RATIO else "bold red"
        shares = deque(_decimal(each.quality.share) for each in self.moments)
        return Group(
            Text.assemble((self._port, "dim"), "  ", (_percent(share), style), f"  {_TREND[moment.trend]}"),
            Text("█" * round(_BAR * (share or 0)) + "░" * (_BAR - round(_BAR * (share or 0))), style=style),
            Text(sparkline(shares), style="green"),
            Text(_counts(moment.quality), style="dim"),
            Text(moment.sentence, style="yellow"),
        )


def as_line(moment: Moment) -> str:
    """ " 90 %  better   9 of 10 telegrams good, 4210 bytes" """
    parts = (f"{_percent(moment.quality.share):>5}", f"{_TREND[moment.trend]:6}", _counts(moment.quality))
    return "  ".join((*parts, moment.sentence)).rstrip()


def _as_json(moment: Moment) -> str:
    return msgspec.json.encode(moment).decode()


_TREND = {1: "better", 0: "", -1: "worse"}


def _percent(share: float | None) -> str:
    return "- %" if share is None else f"{100 * share:.0f} %"


def _counts(quality: Quality) -> str:
    began = quality.valid + quality.damaged
    return f"{quality.valid} of {began} telegrams good within {quality.seconds} s, {quality.byte_count} bytes"


def _decimal(share: float | None) -> Decimal:
    return Decimal(str(share or 0))
