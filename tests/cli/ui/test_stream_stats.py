"""The share of good telegrams, and the power lately."""

from collections import deque
from decimal import Decimal

import pytest
from msgspec.structs import replace

import telegrams
from iskra_server.cli.ui.stream_stats import LAST, StreamStats, power_w, sparkline
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, Reading, Register
from iskra_server.meter.units import WATT

GOOD = telegrams.readings(telegrams.telegram())[0]
BAD = Fault("checksum", "", 1)
NOISE = Fault("noise", "", 1)


def test_the_last_telegrams_count_for_the_share_and_noise_does_not() -> None:
    quality = StreamStats()
    for item in (BAD, NOISE, GOOD, GOOD, GOOD):
        quality.add(item)
    assert quality.sentence() == "3 of the last 4 telegrams valid; 3 in all, 1 damaged (1 checksum)"
    assert not quality.is_reliable()
    for _ in range(LAST):
        quality.add(GOOD)
    assert quality.sentence().startswith("20 of the last 20 telegrams valid; 23 in all")
    assert quality.is_reliable()


def test_sub_meters_and_unreadable_telegrams_are_counted_apart() -> None:
    stats = StreamStats()
    gas = replace(GOOD, meter_id="gas", channel=1)
    for item in (GOOD, gas, Fault("encrypted", "", 1), Fault("layout", "", 1)):
        stats.add(item)
    assert (stats.newest, stats.sub_meters, stats.telegrams) == (GOOD, {"gas": gas}, 1)
    assert stats.is_reliable()
    assert stats.sentence() == "1 of the last 1 telegrams valid; 1 in all, 2 unreadable (1 encrypted, 1 layout)"


def test_before_the_first_telegram_there_is_no_share() -> None:
    assert StreamStats().sentence() == "no telegram yet"
    assert StreamStats().is_reliable()


def test_it_keeps_the_newest_telegram_and_the_powers() -> None:
    quality = StreamStats()
    for reading in telegrams.readings(b"".join(telegrams.series(3))):
        quality.add(reading)
    assert quality.newest == reading
    assert list(quality.powers) == [300, 307, 314]


@pytest.mark.parametrize(("code", "power"), [("16.7.0", -5), ("15.7.0", None), ("1.7.0", None)])
def test_power_is_the_signed_power_of_the_record(code: str, power: int | None) -> None:
    register = Register(Obis.parse(code), -5, 0, WATT)
    reading = Reading("x", b"", (register,), None, "sml", 1)
    assert power_w(reading) == (None if power is None else Decimal(power))


def test_a_locked_meter_has_no_power() -> None:
    locked = telegrams.telegram(telegrams.meter_entries(power=None, scaler=3))
    assert power_w(telegrams.readings(locked)[0]) is None


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([5], "▁"),
        ([0, 100], "▁█"),
        ([-100, 0, 100], "▁▄█"),
        ([7, 7, 7], "▁▁▁"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
    ],
)
def test_a_sparkline_spans_from_the_lowest_to_the_highest(values: list[int], bars: str) -> None:
    assert sparkline(deque(map(Decimal, values))) == bars


def test_a_sparkline_of_shares_shows_all_as_the_full_height() -> None:
    shares = deque(map(Decimal, ("1", "1", "0", "0.5")))
    assert sparkline(shares, (0, 1)) == "██▁▄"
