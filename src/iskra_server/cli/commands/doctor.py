"""`doctor`: runs the checks from the device to a plausible value, and names the first that fails and the fix."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Annotated

import msgspec
import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from iskra_server.cli.ui import loop
from iskra_server.cli.ui.language import Lang, Language
from iskra_server.cli.ui.local import address
from iskra_server.cli.ui.observe import HELD, configured, observed, readers, told_by_server
from iskra_server.cli.ui.options import ConfigFile, Json, examples, single
from iskra_server.config import Config
from iskra_server.diagnosis.advice import Advice, Label, Words
from iskra_server.diagnosis.status import Status
from iskra_server.web.api.status import server_status

app = single()
_EXAMPLES = examples(
    {
        "iskra-server doctor": "the meters, or the head that is found",
        "iskra-server doctor /dev/ttyUSB0": "this port",
        "iskra-server doctor --lang de": "in German",
        "iskra-server doctor --json": "one JSON object a source",
    }
)
# so many telegrams show whether they arrive whole
_ENOUGH = 5
# a port that opens is good at once; one that does not is tried again, and says so meanwhile
_SETTLED_S = 1.0
_SIGNS = {"passed": ("✓", "green"), "failed": ("✕", "bold red"), "unknown": ("·", "dim")}


@app.command(epilog=_EXAMPLES)
def doctor(
    *,
    meters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[METER_URL]...", help="Where the meters are.", show_default="as configured, else auto"),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, metavar="N", help="How long to listen at most.")] = 15.0,
    lang: Lang,
    json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Find what keeps values from arriving, and the next step. Exit status 0 if values arrive, 1 if not."""
    settings = configured(config, meters)
    console = Console(highlight=False)
    visit = Visit(settings, seconds)
    if json or not console.is_terminal:
        loop.run(visit.run())
        for line in _as_json(visit.statuses) if json else _as_lines(visit, lang):
            print(line)
    else:
        with Live(console=console, auto_refresh=False, get_renderable=lambda: _as_table(visit, lang)) as live:
            loop.run(visit.run(live.refresh))
    raise typer.Exit(0 if visit.statuses and all(status.ok for status in visit.statuses) else 1)


class Visit:
    """Looks at the meters until the verdict is clear, at the latest after `seconds`."""

    def __init__(self, config: Config, seconds: float) -> None:
        self.statuses: list[Status] = []
        self.asked: set[str] = set()
        self.server = address(config.server)
        self._config = config
        self._seconds = seconds

    async def run(self, look: Callable[[], object] = lambda: None) -> None:
        began_s = time.monotonic()
        async with aclosing(observed(readers(self._config))) as observations:
            async for self.statuses in observations:
                look()
                passed_s = time.monotonic() - began_s
                if passed_s >= self._seconds or all(_is_clear(status, passed_s) for status in self.statuses):
                    break
        self.statuses = [await self._better_known(status) for status in self.statuses]
        look()

    async def _better_known(self, status: Status) -> Status:
        """A port that is held may be held by our own server: it knows more than we can see."""
        told = await told_by_server(self._config, status) if status.advice.fault in HELD else None
        if told:
            self.asked.add(told.port)
        return told or status


def _is_clear(status: Status, passed_s: float) -> bool:
    """Whether waiting will not change the verdict."""
    if status.failed_check in ("device", "permission", "port"):
        return passed_s >= _SETTLED_S and status.advice.fault != "opening"
    return status.ok and status.facts.telegrams >= _ENOUGH


def _as_json(statuses: Sequence[Status]) -> Iterator[str]:
    for each in server_status(statuses, "").meters:
        yield msgspec.json.encode(each).decode()


def _label(label: Label, lang: Language) -> str:
    return label.de if lang == "de" else label.en


def _told(status: Status) -> Iterator[Advice]:
    """What there is to say, the most important first, nothing twice."""
    yield status.advice
    yield from (notice for notice in status.notices if notice != status.advice)


def _words(advice: Advice, lang: Language) -> Words:
    return advice.de if lang == "de" else advice.en


def _as_lines(visit: Visit, lang: Language) -> Iterator[str]:
    for status in visit.statuses:
        if status.port in visit.asked:
            yield f"The server at {visit.server} reads it and says:"
        yield f"{status.port}  {status.meter_id or ''}".rstrip()
        for check in status.checks:
            told = f"  {_words(check.advice, lang).sentence}" if check.advice else ""
            yield f"  {check.state:7}  {_label(check.label, lang)}{told}"
        yield from (str(_words(advice, lang)) for advice in _told(status))


def _as_table(visit: Visit, lang: Language) -> RenderableType:
    parts: list[RenderableType] = []
    for status in visit.statuses:
        if status.port in visit.asked:
            parts.append(Text(f"The server at {visit.server} reads it and says:", style="dim"))
        parts += [Text(f"{status.port}  {status.meter_id or ''}".rstrip(), style="bold"), _checks(status, lang)]
        for advice in _told(status):
            words = _words(advice, lang)
            style = "bold red" if advice is status.advice and not status.ok else "yellow"
            style = "green" if advice.fault == "well" else style
            parts += [Text(words.sentence, style=style), Text(f"→ {words.next_step}" if words.next_step else "")]
    return Group(*parts)


def _checks(status: Status, lang: Language) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    for check in status.checks:
        sign, style = _SIGNS[check.state]
        table.add_row(
            Text(sign, style=style), Text(_label(check.label, lang), style="dim" * (check.state == "unknown"))
        )
    return table
