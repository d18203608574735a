"""Counters that a telegram lacks stay as they were."""

from decimal import Decimal

import pytest

from emulating import grid_reading
from iskra_server.outputs.emulation.last_counters import LastCounters

NOTHING = Decimal(0), Decimal(0)


def test_a_counter_that_a_telegram_lacks_stays_as_it_was() -> None:
    counters = LastCounters("device")
    assert counters.of(grid_reading(import_wh=None, export_wh=None)) == NOTHING
    assert counters.of(grid_reading(import_wh=Decimal("12.5"), export_wh=Decimal(3))) == (Decimal("12.5"), Decimal(3))
    assert counters.of(grid_reading(import_wh=None, export_wh=Decimal(4))) == (Decimal("12.5"), Decimal(4))


def test_another_meter_has_its_own_counters() -> None:
    counters = LastCounters("device")
    counters.of(grid_reading(import_wh=Decimal("12.5")))
    assert counters.of(grid_reading(meter_id="other", import_wh=None, export_wh=None)) == NOTHING


def test_counters_that_come_in_a_telegram_of_their_own_are_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    counters = LastCounters("device")
    without = grid_reading(import_wh=None, export_wh=None, may_lack_counters=True)
    assert [counters.of(without), counters.of(without)] == [None, None]
    assert caplog.messages == ["device: nothing is shown until meter 1 ISK 00 12345678 sends its counters."]
    counters.of(grid_reading(import_wh=Decimal("12.5"), export_wh=Decimal(3), may_lack_counters=True))
    assert counters.of(without) == (Decimal("12.5"), Decimal(3))
