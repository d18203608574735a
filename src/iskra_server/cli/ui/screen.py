"""The screen of `read`: values, recent power, reception, age."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from iskra_server.base.clock import boottime_s
from iskra_server.cli.ui.stream_stats import StreamStats, power_w, sparkline
from iskra_server.cli.ui.telegram_text import as_line, displayed, exact, kind
from iskra_server.diagnosis.advice import format_problem
from iskra_server.meter.identity import family
from iskra_server.meter.lock import is_locked
from iskra_server.meter.reading import Reading
from iskra_server.meter.registers import describe
from iskra_server.sources.source import Source

# shortest time between two redraws: a replay may bring thousands of telegrams a second
_MIN_S = 0.1
_OLD_S = 10.0
_LOCKED = "Locked: whole kWh and no power, until the PIN is entered at the meter and InF is on."


class Screen:
    """Renders the state of a source and its newest reading."""

    def __init__(self, source: Source, quality: StreamStats) -> None:
        self._source = source
        self._quality = quality
        self._telegrams = 0
        self._arrived_s = 0.0
        self._rendered_s = 0.0

    def is_due(self) -> bool:
        """Whether to draw again; call it when bytes arrived, and a few times a second."""
        if self._quality.telegrams != self._telegrams:
            self._telegrams, self._arrived_s = self._quality.telegrams, boottime_s()
        return boottime_s() - self._rendered_s >= _MIN_S

    def render(self) -> RenderableType:
        self._rendered_s = boottime_s()
        reading = self._quality.newest
        parts: list[RenderableType] = [self._title(reading)]
        state = self._source.state
        if state.problem:
            style = "dim" if state.problem == "ended" else "bold red"
            parts.append(Text(format_problem(state.problem, state.details), style=style))
        if reading is None:
            return Group(*parts, self._reception())
        sub_meters = [
            Text(as_line(each), no_wrap=True, overflow="ellipsis") for each in self._quality.sub_meters.values()
        ]
        parts += ["", _values(reading), *sub_meters, "", self._power(reading)]
        return Group(*parts, self._reception(), self._age())

    def _title(self, reading: Reading | None) -> Text:
        title = Text(reading.meter_id if reading else "Waiting for the first telegram", style="bold")
        named = (
            reading and family(reading),
            reading and kind(reading),
            self._source.state.port,
            self._source.simulated and "SIMULATED",
        )
        for part in filter(None, named):
            title.append(f"  {part}", style="yellow" if part == "SIMULATED" else "not bold dim")
        return title

    def _power(self, reading: Reading) -> Text:
        power = power_w(reading)
        if power is None:
            return Text(_LOCKED, style="yellow") if is_locked(reading) else Text("This meter sends no power.")
        powers = self._quality.powers
        return Text.assemble(
            ("power ", "dim"), (sparkline(powers), "green"), f" {exact(min(powers))} to {exact(max(powers))} W"
        )

    def _reception(self) -> Text:
        return Text(self._quality.sentence(), style="dim" if self._quality.is_reliable() else "red")

    def _age(self) -> Text:
        age_s = boottime_s() - self._arrived_s
        return Text(f"{age_s:.1f} s old; stop with Ctrl+C", style="dim" if age_s < _OLD_S else "bold red")


def _values(reading: Reading) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim")
    table.add_column()
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    for register in reading.numbers():
        row = describe(register.obis)
        # on a narrow terminal the label is cut, never the number
        label = Text(row.en if row else "", no_wrap=True, overflow="ellipsis")
        table.add_row(register.obis.short, label, *displayed(register))
    return table
