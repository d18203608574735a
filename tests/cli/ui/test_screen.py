"""What `read` draws, at any width."""

import pytest
from rich.console import Console

import telegrams
from iskra_server.cli.ui.screen import Screen
from iskra_server.cli.ui.stream_stats import StreamStats
from iskra_server.meter.reading import Fault
from iskra_server.simulator.simulated_source import SimulatedSource
from iskra_server.sources.source import SourceState


def imported(quality: StreamStats, state: SourceState | None = None, width: int = 80) -> str:
    source = SimulatedSource()
    source.state = state or SourceState("/dev/ttyUSB0", is_open=True)
    screen = Screen(source, quality)
    assert screen.is_due()
    console = Console(width=width)
    with console.capture() as captured:
        console.print(screen.render())
    assert not screen.is_due(), "it was drawn just now"
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_values_stand_in_kwh_with_every_digit_and_fit(width: int) -> None:
    quality = StreamStats()
    for reading in telegrams.readings(b"".join(telegrams.series(60))):
        quality.add(reading)
    text = imported(quality, width=width)
    assert "12345.6848  kWh" in text
    assert "SIMULATED" in text
    assert "20 of the last 20 telegrams valid; 60 in all" in " ".join(text.split())
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    assert len([line for line in lines if "kWh" in line or "  W" in line]) == 2, "a value takes one line"


def test_before_the_first_telegram_it_says_what_is_wrong() -> None:
    state = SourceState("/dev/ttyUSB0", is_open=False, problem="missing", details={"port": "/dev/ttyUSB0"})
    text = imported(StreamStats(), state)
    assert text.splitlines()[0].startswith("Waiting for the first telegram  /dev/ttyUSB0")
    assert "/dev/ttyUSB0 does not exist." in text
    assert "no telegram yet" in text


def test_a_locked_meter_and_one_without_power() -> None:
    locked, total_only = StreamStats(), StreamStats()
    locked.add(telegrams.readings(telegrams.telegram(telegrams.meter_entries(power=None, scaler=3, energy=12345)))[0])
    total_only.add(telegrams.readings(telegrams.telegram(telegrams.meter_entries(power=None)))[0])
    assert "Locked: whole kWh and no power" in imported(locked)
    assert " 12345  kWh" in imported(locked)
    assert "This meter sends no power." in imported(total_only)


def test_damage_shows() -> None:
    quality = StreamStats()
    quality.add(Fault("checksum", "", 400))
    assert "0 of the last 1 telegrams valid; 0 in all, 1 damaged (1 checksum)" in imported(quality)
