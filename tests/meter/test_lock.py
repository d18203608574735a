from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from iskra_server.meter.guard import Guard
from iskra_server.meter.lock import LockWatch, counts_whole_kwh, is_locked, sends_locked
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.transformer_factor import apply_factor
from samples import EXPORT, IMPORT, START, energy, power, reading, sample


@pytest.mark.parametrize(
    ("registers", "locked"),
    [
        ([energy(7167, 3)], True),
        ([energy(74078573, -1), power(5)], False),
        ([energy(74078573, -1)], False),
        ([energy(7167, 3), power(5)], False),
        ([energy(7167, 3), Register(Obis.parse("15.7.0"), 5)], False),
        ([energy(7167, 3, EXPORT)], True),
        ([power(5)], None),
        ([Register(IMPORT, b"")], None),
    ],
)
def test_locked_is_whole_kwh_without_power(registers: list[Register], locked: bool | None) -> None:
    assert is_locked(reading(*registers)) is locked


def test_a_meter_that_speaks_another_protocol_than_sml_has_no_pin() -> None:
    assert is_locked(replace(reading(energy(24562, 3)), protocol="d0")) is None


@pytest.mark.parametrize("factor", ["12.5", "40", "0.5", "1000"])
def test_a_factor_changes_nothing_about_the_digits_that_a_meter_sends(factor: str) -> None:
    by, watch = Decimal(factor), LockWatch()
    for sent, locked in ((energy(7167, 3), True), (energy(71675432), False)):
        content = sample(sent)
        multiplied = replace(content, reading=apply_factor(content.reading, by), factor=by)
        watch.observe(multiplied)
        assert is_locked(multiplied.reading, by) is sends_locked(multiplied) is watch.locked is locked
    meter = replace(reading(energy(24562, 3)), protocol="d0")
    assert counts_whole_kwh(apply_factor(meter, by), by)
    assert not counts_whole_kwh(apply_factor(replace(meter, registers=(energy(24562, 2),)), by), by)


LOCKED, UNLOCKED = energy(7167, 3), energy(71675432)


def watched(*seen: tuple[float, Register]) -> LockWatch:
    watch = LockWatch()
    for at_s, total in seen:
        watch.observe(sample(total, at_s=at_s))
    return watch


def test_locking_is_seen_with_its_time_and_how_long_it_was_unlocked() -> None:
    watch = watched((0, LOCKED), (10, UNLOCKED), (131, LOCKED))
    assert (watch.locked, watch.locked_at, watch.unlocked_for_s) == (True, START + timedelta(seconds=131), 121)


def test_how_long_it_was_unlocked_is_not_known_where_its_unlocking_was_not_seen() -> None:
    watch = watched((0, UNLOCKED), (131, LOCKED))
    assert (watch.locked_at, watch.unlocked_for_s) == (START + timedelta(seconds=131), None)


@pytest.mark.parametrize("seen", [[(0.0, LOCKED)], [(0.0, LOCKED), (1.0, LOCKED)], [(0.0, LOCKED), (1.0, UNLOCKED)]])
def test_a_meter_that_never_locked_itself_has_no_time_of_it(seen: list[tuple[float, Register]]) -> None:
    assert watched(*seen).locked_at is None


def test_the_meters_own_seconds_count_where_bytes_have_waited() -> None:
    watch = LockWatch()
    for total, seconds in ((LOCKED, 0), (UNLOCKED, 10), (LOCKED, 131)):
        watch.observe(sample(total, at_s=0.0, seconds=seconds))
    assert watch.unlocked_for_s == 121


def test_a_meter_that_has_locked_is_locked_while_its_fine_value_holds() -> None:
    guard = Guard()
    published = [
        guard.admit(sample(total, at_s=at_s)) for at_s, total in enumerate((UNLOCKED, LOCKED, energy(7168, 3)))
    ]
    assert [each.holds_fine for each in published if isinstance(each, Sample)] == [False, True, False]
    assert [sends_locked(each) for each in published if isinstance(each, Sample)] == [False, True, True]


def test_a_fine_value_that_is_kept_locks_no_meter_of_another_protocol() -> None:
    """An MT171 counts whole kWh; read by P1 too, its fine value is kept."""
    for protocol, expected in (("sml", True), ("d0", None), ("dlms", None), ("p1", None)):
        content = sample(energy(7407, 3))
        kept = replace(content, reading=replace(content.reading, protocol=protocol), holds_fine=True)
        assert sends_locked(kept) is expected
