"""`doctor`: run all checks from the device to a plausible value; print the first that fails and what to do."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Annotated

import msgspec
import typer
from msgspec.structs import replace
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from iskra_server.base.language import Language
from iskra_server.cli.ui import loop
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.local_server import base_url
from iskra_server.cli.ui.observe import (
    PORT_IN_USE,
    config_with_meters,
    make_readers,
    server_of_this_machine,
    servers_that_read,
    watch_statuses,
)
from iskra_server.cli.ui.options import ConfigFile, Json, Lang, command_app, examples
from iskra_server.cli.ui.output_text import output_lines
from iskra_server.config import Config, ServerConfig
from iskra_server.diagnosis.advice import Advice, Label, Words, advise
from iskra_server.diagnosis.status import Status, run_checks
from iskra_server.outputs.state import OutputState
from iskra_server.web.api.status import server_status

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server doctor": "configured meters, else the head found",
        "iskra-server doctor /dev/ttyUSB0": "this port",
        "iskra-server doctor --lang de": "in German",
        "iskra-server doctor --json": "one JSON object per source",
    }
)
# telegrams that are enough for a verdict on reception, or the time for those of a meter that sends every 10 s
_MIN_TELEGRAMS = 5
_ENOUGH_S = 15.0
# a port that cannot be opened may be retried: wait so long before the verdict
_SETTLED_S = 1.0
# German words; English ones are those of the API
_GERMAN = {
    "passed": "bestanden",
    "failed": "Fehler",
    "unknown": "offen",
    "last poll": "letzte Abfrage",
    "read": "gelesen",
    "silent": "keine Antwort",
    "echo": "nur Echo",
    "damaged": "beschädigt",
    "pushed": "sendet von selbst",
    "not_asked": "nicht gefragt",
}
_PIN_NEEDED = ("locked", "relocked", "inf_off")
_UNLOCK: dict[Language, str] = {
    "en": "The command iskra-server unlock shows how.",
    "de": "Der Befehl iskra-server unlock zeigt, wie.",
}
_SIGNS = {"passed": ("✓", "green"), "failed": ("✕", "bold red"), "unknown": ("·", "dim")}


@app.command(epilog=_EXAMPLES)
def doctor(
    *,
    meters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[METER_URL]...", help="Where the meters are: ports or URLs.", show_default="configured, else auto"
        ),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, metavar="N", help="Longest time to listen.")] = 90.0,
    lang: Lang,
    json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Find out why no values arrive, and what to do next. Exit status 0 if values arrive, 1 if not.

    A running server is asked for its outputs, too: what fails, and who asks an emulated device.
    """
    settings = config_with_meters(config, meters)
    console = text_console()
    run = DiagnosisRun(settings, seconds)
    if json or not console.is_terminal:
        loop.run(run.run())
        for line in _as_json(run.statuses) if json else _as_lines(run, lang):
            print(line)
    else:
        with Live(console=console, auto_refresh=False, get_renderable=lambda: _as_table(run, lang)) as live:
            loop.run(run.run(live.refresh))
    raise typer.Exit(0 if run.statuses and all(status.ok for status in run.statuses) else 1)


class DiagnosisRun:
    """Watches the meters until the verdict is clear, at most for `seconds`."""

    def __init__(self, config: Config, seconds: float) -> None:
        self.statuses: list[Status] = []
        # of ports that a running server has open
        self.servers_by_port: dict[str, ServerConfig] = {}
        # of the running server
        self.outputs: list[OutputState] = []
        self._config = config
        self._seconds = seconds

    async def run(self, refresh: Callable[[], object] = lambda: None) -> None:
        began_s = time.monotonic()
        async with aclosing(watch_statuses(make_readers(self._config))) as observations:
            async for statuses in observations:
                self.statuses = [_with_capture_judged(status) for status in statuses]
                refresh()
                passed_s = time.monotonic() - began_s
                if passed_s >= self._seconds or all(_is_clear(status, passed_s) for status in statuses):
                    break
        await self._ask_servers()
        refresh()

    async def _ask_servers(self) -> None:
        """If our own server has a port open, it knows more than we can see, or may open. Each is asked once."""
        configured = self._config.server
        busy = [index for index, status in enumerate(self.statuses) if _may_be_read_by_server(status)]
        found = await servers_that_read(configured, [self.statuses[index] for index in busy]) if busy else []
        for index, read in zip(busy, found, strict=True):
            if read:
                self.statuses[index] = read.status
                self.servers_by_port[read.status.port] = read.server
        answer = next((read.answer for read in found if read), None)
        if not answer and (_has_devices(self._config) or self._config.uplink.url):
            answer = await server_of_this_machine(configured)
        self.outputs = answer.outputs if answer else []


def _may_be_read_by_server(status: Status) -> bool:
    return status.advice.fault in PORT_IN_USE or status.failed_check == "permission"


def _has_devices(config: Config) -> bool:
    return any(getattr(keys, "enabled", False) for keys in msgspec.structs.astuple(config.outputs))


def _is_clear(status: Status, passed_s: float) -> bool:
    """Whether waiting longer would not change the verdict."""
    if status.failed_check in ("device", "permission", "port"):
        return passed_s >= _SETTLED_S and status.advice.fault != "opening"
    if status.facts.problem == "ended":
        return True
    if status.facts.last_unreadable and not status.facts.telegrams:
        return passed_s >= _ENOUGH_S
    return status.ok and (status.facts.telegrams >= _MIN_TELEGRAMS or passed_s >= _ENOUGH_S)


def _with_capture_judged(status: Status) -> Status:
    """Of a capture that has ended, what its telegrams show; with the hint that it is short where they are few."""
    facts = status.facts
    if facts.problem != "ended" or not facts.telegrams:
        return status
    judged = run_checks(replace(facts, problem=None, is_open=True))
    if facts.telegrams >= _MIN_TELEGRAMS:
        return judged
    short = advise("short_capture", {"port": facts.port, "count": str(facts.telegrams)})
    return replace(judged, notices=(short, *judged.notices))


def _as_json(statuses: Sequence[Status]) -> Iterator[str]:
    for status in server_status(statuses, "").meters:
        yield msgspec.json.encode(status).decode()


def _label(label: Label, lang: Language) -> str:
    return label.de if lang == "de" else label.en


def _advice_to_show(status: Status) -> Iterator[Advice]:
    """The advice of a source and its notices, most important first, without duplicates."""
    yield status.advice
    yield from (notice for notice in status.notices if notice != status.advice)


def _words(advice: Advice, lang: Language) -> Words:
    words = advice.de if lang == "de" else advice.en
    if advice.fault not in _PIN_NEEDED:
        return words
    return Words(words.sentence, f"{words.next_step} {_UNLOCK[lang]}")


def _word(word: str, lang: Language) -> str:
    return _GERMAN.get(word, word) if lang == "de" else word


def _of_server(server: ServerConfig, lang: Language) -> str:
    said = "Der Server unter {} liest ihn und meldet:" if lang == "de" else "The server at {} reads it and says:"
    return said.format(base_url(server))


def _title(status: Status, lang: Language) -> str:
    """Port, meter, and how it is read: "/dev/ttyUSB0  1 ISK 00 12345678  D0, 9600 8N1, last poll: read"."""
    facts = status.facts
    how = (facts.protocol.upper(), facts.line, facts.poll and f"{_word('last poll', lang)}: {_word(facts.poll, lang)}")
    return "  ".join(filter(None, (status.port, status.meter_id, ", ".join(filter(None, how)))))


def _as_lines(run: DiagnosisRun, lang: Language) -> Iterator[str]:
    width = max(len(_word(state, lang)) for state in _SIGNS)
    for status in run.statuses:
        if server := run.servers_by_port.get(status.port):
            yield _of_server(server, lang)
        yield _title(status, lang)
        for check in status.checks:
            told = f"  {_words(check.advice, lang).sentence}" if check.advice else ""
            yield f"  {_word(check.state, lang):{width}}  {_label(check.label, lang)}{told}"
        yield from (str(_words(advice, lang)) for advice in _advice_to_show(status))
    yield from output_lines(run.outputs, lang)


def _as_table(run: DiagnosisRun, lang: Language) -> RenderableType:
    parts: list[RenderableType] = []
    for status in run.statuses:
        if server := run.servers_by_port.get(status.port):
            parts.append(Text(_of_server(server, lang), style="dim"))
        parts += [Text(_title(status, lang), style="bold"), _check_table(status, lang)]
        for advice in _advice_to_show(status):
            words = _words(advice, lang)
            style = "bold red" if advice is status.advice and not status.ok else "yellow"
            style = "green" if advice.fault == "well" else style
            parts += [Text(words.sentence, style=style), Text(f"→ {words.next_step}" if words.next_step else "")]
    parts += [Text(line, style="dim") for line in output_lines(run.outputs, lang)]
    return Group(*parts)


def _check_table(status: Status, lang: Language) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    for check in status.checks:
        sign, style = _SIGNS[check.state]
        table.add_row(
            Text(sign, style=style), Text(_label(check.label, lang), style="dim" * (check.state == "unknown"))
        )
    return table
