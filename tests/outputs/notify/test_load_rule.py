from collections.abc import Iterable
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from iskra_server.outputs.notify.load_rule import LoadRule
from iskra_server.outputs.notify.memory import Memory
from iskra_server.outputs.notify.messages import MeterMessage
from samples import energy, power, sample

BERLIN = ZoneInfo("Europe/Berlin")
LIMIT_W, MINUTES = 6000, 15
NAME = "House"


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def rule(memory: Memory) -> LoadRule:
    return LoadRule(memory, LIMIT_W, MINUTES * 60.0, 3600.0, BERLIN)


def feed(rule: LoadRule, watts: Iterable[int], begin_s: int, step_s: int = 10) -> list[MeterMessage]:
    """A telegram every ten seconds; the counter runs at 1 Wh each."""
    return [
        message
        for place, value in enumerate(watts)
        for message in rule.observe(
            sample(power(value), energy(10 * (begin_s + place * step_s)), at_s=begin_s + place * step_s), NAME
        )
    ]


def test_a_load_is_told_after_its_minutes_and_when_it_is_over(rule: LoadRule) -> None:
    assert feed(rule, [300, *[7000] * 90], 0) == []
    (begin,) = feed(rule, [8200, 7100, *[7000] * 30], 910)
    assert begin.texts["en"].title == "House: above 6,000 W for 15 minutes"
    assert begin.texts["en"].body == "8,200 W from the grid now, at most 8,200 W since 11:00."
    assert begin.texts["de"].title == "House: seit 15 Minuten über 6.000 W"
    assert begin.texts["de"].body == "Bezug jetzt 8.200 W, höchstens 8.200 W seit 11:00 Uhr."
    assert begin.values == {"limit_w": Decimal(6000), "power_w": Decimal(8200), "peak_w": Decimal(8200)}
    (end,) = feed(rule, [300] * 60, 1230)
    assert end.texts["en"].title == "House: below 6,000 W again"
    # 1,220 s from 11:00:10 on
    assert end.texts["en"].body == "Above it from 11:00 to 11:20 (20 minutes): at most 8,200 W, 1.22 kWh."
    assert end.texts["de"].body == "Darüber von 11:00 bis 11:20 Uhr (20 Minuten): höchstens 8.200 W, 1,22 kWh."
    assert end.values["import_wh"] == Decimal("1220.0")


def test_a_dip_ends_it_before_it_is_told(rule: LoadRule) -> None:
    assert feed(rule, [*[7000] * 85, 5600, *[7000] * 85], 0) == []
    # 5,800 W is above 95 % of the limit
    assert len(feed(rule, [5800] * 10, 1710)) == 1


def test_a_short_dip_does_not_end_it_once_it_is_told(rule: LoadRule) -> None:
    assert len(feed(rule, [*[7000] * 95, *[300] * 20, *[7000] * 20, *[300] * 25], 0)) == 1


def test_one_that_comes_and_goes_is_told_once_an_hour(rule: LoadRule) -> None:
    wave = [*[7000] * 100, *[300] * 50]
    phases = [message.phase for message in feed(rule, wave * 6, 0)]
    # six times within 9,000 s
    assert phases == ["begin", "end"] * 2


def test_after_a_silence_nobody_knows_what_the_power_was(rule: LoadRule) -> None:
    assert feed(rule, [7000] * 80, 0) == []
    assert feed(rule, [7000] * 80, 900) == []


def test_energy_to_the_grid_is_no_load(rule: LoadRule) -> None:
    assert feed(rule, [-9000] * 200, 0) == []


def test_its_end_is_told_after_a_restart(rule: LoadRule, memory: Memory) -> None:
    assert len(feed(rule, [7000] * 100, 0)) == 1
    again = LoadRule(memory, LIMIT_W, MINUTES * 60.0, 3600.0, BERLIN)
    (end,) = feed(again, [7000, *[300] * 60], 1100)
    # what it was before the restart is not known
    assert end.texts["en"].body == "Above it from 11:00 to 11:18 (18 minutes): at most 7,000 W."


def test_a_telegram_without_power_or_date_says_nothing(rule: LoadRule) -> None:
    assert list(rule.observe(sample(energy(1)), NAME)) == []
    late = structs.replace(sample(power(9000)), is_dated=False)
    assert list(rule.observe(late, NAME)) == []
