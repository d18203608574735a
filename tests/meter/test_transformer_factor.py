from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from iskra_server.meter.guard import AGREEING_S, AGREEING_TELEGRAMS, Guard, HeldBack
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.transformer_factor import apply_factor, exact_factor, step_of
from iskra_server.meter.units import unit_named
from samples import energy, power, reading, sample


def multiplied(*registers: Register, factor: float = 40) -> list[Register]:
    return list(apply_factor(reading(*registers), exact_factor(factor)).registers)


def behind(raw: int, scaler: int, factor: float, at_s: float) -> Sample:
    sent = sample(energy(raw, scaler), at_s=at_s)
    return replace(sent, reading=apply_factor(sent.reading, exact_factor(factor)), factor=exact_factor(factor))


def test_energy_and_power_are_multiplied_exactly_and_say_so() -> None:
    total, watts = multiplied(energy(123456789), power(-321), factor=12.5)
    assert (total.value, watts.value) == (Decimal("154320986.25"), Decimal("-4012.5"))
    assert {total.derived, watts.derived} == {"factor 12.5"}


def test_a_derived_value_keeps_how_it_was_derived() -> None:
    (watts,) = multiplied(replace(power(5), derived="import - export"))
    assert watts.derived == "import - export, factor 40"


def test_voltage_current_and_texts_stay_as_the_meter_sends_them() -> None:
    registers = [
        Register(Obis.parse("32.7.0"), 2301, -1, unit_named("V")),
        Register(Obis.parse("31.7.0"), 12, -1, unit_named("A")),
        Register(Obis.parse("96.1.0"), b"12345678"),
        Register(Obis.parse("0-1:24.2.1"), 1569646, -3, unit_named("m³")),
    ]
    assert multiplied(*registers) == registers


def test_a_sub_meter_has_no_factor_and_factor_1_changes_nothing() -> None:
    heat = replace(reading(energy(5)), channel=1)
    assert apply_factor(heat, Decimal(40)) is heat
    assert apply_factor(reading(energy(5)), exact_factor(1.0)).registers == (energy(5),)


@pytest.mark.parametrize(("value", "text", "step"), [(40.0, "40", 40), (12.5, "12.5", 125), (0.1, "0.1", 1)])
def test_the_factor_is_the_number_in_the_configuration(value: float, text: str, step: int) -> None:
    assert format(exact_factor(value), "f") == text
    assert step_of(exact_factor(value)) == step


@given(st.decimals("0.001", "100000", places=3), st.integers(0, 10**12), st.integers(-4, 3))
def test_the_product_is_exact(factor: Decimal, raw: int, scaler: int) -> None:
    (total,) = multiplied(energy(raw, scaler), factor=float(factor))
    assert total.value == (energy(raw, scaler).value or Decimal(0)) * factor


def test_a_meter_of_whole_kwh_ticks_over_behind_a_transformer() -> None:
    guard = Guard()
    results = [guard.admit(behind(7407 + k, 3, 40, at_s=10.0 * k)) for k in range(3)]
    assert not any(isinstance(result, HeldBack) for result in results)


def test_the_maximum_power_is_that_before_the_transformers() -> None:
    guard = Guard()
    guard.admit(behind(0, 0, 40, at_s=0.0), 400_000)
    assert isinstance(guard.admit(behind(10_000, 0, 40, at_s=3600.0), 400_000), Sample)
    assert isinstance(guard.admit(behind(20_400, 0, 40, at_s=7200.0), 400_000), HeldBack)


@pytest.mark.parametrize(("before", "after"), [(1.0, 40.0), (40.0, 1.0), (40.0, 50.0)])
def test_a_changed_factor_is_held_back_and_then_begins_an_epoch(before: float, after: float) -> None:
    guard = Guard()
    guard.admit(behind(5_000_000, 0, before, at_s=0.0))
    changed = [guard.admit(behind(5_000_000, 0, after, at_s=1 + k * AGREEING_S)) for k in range(AGREEING_TELEGRAMS)]
    assert isinstance(changed[0], HeldBack)
    assert isinstance(changed[-1], Sample) and changed[-1].epoch == 1


def test_a_factor_that_was_changed_while_the_server_was_off_is_noticed_too() -> None:
    guard = Guard()
    guard.remember(sample(energy(5_000_000, 0)), at_s=-60.0)
    held = guard.admit(behind(5_000_001, 0, 40, at_s=0.0))
    assert isinstance(held, HeldBack) and "jumped" in held.reason
