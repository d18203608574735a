from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import pushes
from iskra_server.codecs.dlms import axdr, encoder
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.encoder import octet_string, structure, u4
from iskra_server.meter.lists import current_reading, list_of, shown
from iskra_server.meter.normalise import MeterMemory, normalise
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.transformer_factor import apply_factor
from iskra_server.meter.units import WATT, unit_named
from iskra_server.reading.hub import Hub
from samples import EXPORT, IMPORT, METER_ID, POWER, energy, power, sample

STALE_S, COUNTERS_STALE_S = 60.0, 1000.0
VOLTAGE = Obis.parse("32.7.0")
IMPORTED, EXPORTED = Obis.parse("1.7.0"), Obis.parse("2.7.0")


def telegram(*registers: Register, at_s: float, protocol: str = "dlms", epoch: int = 0) -> Sample:
    content = sample(*registers, at_s=at_s)
    return replace(content, reading=replace(content.reading, protocol=protocol), epoch=epoch)


def publish(*samples: Sample, hub: Hub | None = None) -> Sample:
    """What is shown after these telegrams."""
    hub = hub or Hub(STALE_S)
    for each in samples:
        hub.publish(each, counters_stale_after_s=COUNTERS_STALE_S)
    return hub.newest[METER_ID]


def seen(sample: Sample, age_s: float = 0.0) -> dict[Obis, tuple[Decimal | None, float]]:
    return {item.register.obis: (item.register.value, item.age_s) for item in shown(sample, age_s)}


def voltage(raw: int) -> Register:
    return Register(VOLTAGE, raw, -1, unit_named("V"))


def watts(obis: Obis, raw: int) -> Register:
    return Register(obis, raw, 0, WATT)


def test_a_power_list_shows_the_counters_of_the_list_before_it_with_their_age() -> None:
    merged = publish(telegram(energy(5000), at_s=0.0), telegram(power(321), at_s=40.0))
    assert seen(merged, 2.0) == {POWER: (Decimal(321), 2.0), IMPORT: (Decimal("500.0"), 42.0)}
    # guard and history get what the telegram has
    assert [register.obis for register in merged.reading.registers] == [POWER]
    assert [register.obis for register in current_reading(merged, 2.0).registers] == [POWER, IMPORT]


def test_each_register_has_the_wait_of_its_own_telegram() -> None:
    counters, powers = telegram(energy(5000), at_s=0.0), telegram(power(321), at_s=40.0)
    merged = publish(replace(counters, waited_s=3.0), replace(powers, waited_s=1.0))
    assert seen(merged, merged.age_s(42.0)) == {POWER: (Decimal(321), 3.0), IMPORT: (Decimal("500.0"), 45.0)}
    # how long the newest one waited makes no other one younger
    powers, voltages = telegram(power(321), at_s=0.0), telegram(voltage(2301), at_s=58.0)
    merged = publish(replace(powers, waited_s=5.0), replace(voltages, waited_s=5.0))
    assert [register.obis for register in current_reading(merged).registers] == [VOLTAGE]


def test_counters_live_longer_than_power_and_neither_longer_than_its_limit() -> None:
    merged = publish(
        telegram(energy(5000), at_s=0.0), telegram(power(321), at_s=10.0), telegram(voltage(2301), at_s=60.0)
    )
    assert seen(merged, 10.0).keys() == {VOLTAGE, POWER, IMPORT}
    assert seen(merged, 10.1).keys() == {VOLTAGE, IMPORT}
    assert seen(merged, 940.0).keys() == {VOLTAGE, IMPORT}
    assert seen(merged, 940.1).keys() == {VOLTAGE}


def test_what_was_lost_stays_lost() -> None:
    first, *rest = (telegram(voltage(2300 + k), at_s=k * 50.0) for k in range(3))
    merged = publish(replace(first, reading=replace(first.reading, registers=(power(5),))), *rest)
    assert POWER not in seen(merged)


def test_a_meter_that_sends_everything_each_time_keeps_nothing() -> None:
    for protocol in ("sml", "p1"):
        lists = telegram(energy(5000), power(3), at_s=0.0), telegram(energy(5001), at_s=1.0, protocol=protocol)
        assert seen(publish(*lists)).keys() == {IMPORT}


def test_a_new_epoch_keeps_no_counter_of_the_old_one() -> None:
    merged = publish(telegram(energy(5000), at_s=0.0), telegram(power(321), at_s=1.0, epoch=1))
    assert seen(merged).keys() == {POWER}


def test_powers_of_one_phase_are_never_of_two_telegrams() -> None:
    first = telegram(watts(IMPORTED, 0), watts(EXPORTED, 500), watts(POWER, -500), voltage(2301), at_s=0.0)
    merged = publish(first, telegram(watts(IMPORTED, 300), at_s=2.0))
    assert seen(merged).keys() == {IMPORTED, VOLTAGE}


def test_a_pause_that_boot_time_did_not_count_makes_a_register_older() -> None:
    paused = replace(telegram(power(5), at_s=2.0), monotonic_s=1.0, received_at=sample(at_s=1500).received_at)
    assert seen(publish(telegram(energy(5000), at_s=0.0), paused)).keys() == {POWER}


def test_the_usual_interval_is_that_of_the_most_frequent_list() -> None:
    hub = Hub(STALE_S)
    for k in range(400):
        publish(telegram(power(k), voltage(2300), at_s=k * 5.0), hub=hub)
        if k % 180 == 0:
            publish(telegram(energy(k), energy(0, obis=EXPORT), energy(3, obis=POWER), at_s=k * 5.0 + 0.3), hub=hub)
    assert hub.usual_interval_s(METER_ID) == 5.0
    # also where both come at the same pace, one behind the other
    pair = Hub(STALE_S)
    for k in range(10):
        publish(telegram(power(k), at_s=k * 10.0), hub=pair)
        publish(telegram(energy(k), energy(k, obis=EXPORT), at_s=k * 10.0 + 0.1), hub=pair)
    assert pair.usual_interval_s(METER_ID) == pytest.approx(10.0)


def test_derived_registers_do_not_make_another_list() -> None:
    one, two = telegram(power(5), at_s=0.0).reading, replace(power(5), derived="import - export")
    assert list_of(one) == list_of(replace(one, registers=(*one.registers, two))) == 1
    assert list_of(replace(one, protocol="sml")) == 0


def test_a_transformer_factor_does_not_make_two_lists_one() -> None:
    lists = (telegram(power(5), at_s=0.0), telegram(energy(1), energy(2, obis=EXPORT), at_s=1.0))
    assert [list_of(apply_factor(each.reading, Decimal(40))) for each in lists] == [1, 2]


CODES = (IMPORT, EXPORT, POWER, VOLTAGE)
LISTS = st.lists(
    st.tuples(st.sets(st.sampled_from(CODES), min_size=1), st.floats(0.0, 1500.0)), min_size=1, max_size=30
)


@given(LISTS, st.floats(0.0, 1200.0))
def test_what_is_shown_is_the_newest_of_each_register_within_its_limit(
    lists: list[tuple[set[Obis], float]], age_s: float
) -> None:
    """A register is shown where it was within its limit at every telegram since, and never with an older value."""
    hub, at_s, last = Hub(STALE_S), 0.0, dict[Obis, tuple[int, float]]()
    for count, (codes, pause_s) in enumerate(lists):
        at_s += pause_s
        registers = [Register(obis, count, 0, WATT if obis == POWER else None) for obis in CODES if obis in codes]
        publish(telegram(*registers, at_s=at_s), hub=hub)
        last |= {obis: (count, at_s) for obis in codes}
    newest = hub.newest[METER_ID]
    visible = seen(newest, age_s)
    for obis, (value, age) in visible.items():
        assert value == last[obis][0]
        assert age == pytest.approx(at_s + age_s - last[obis][1], abs=1e-3)
    for obis, (_, then_s) in last.items():
        limit_s = COUNTERS_STALE_S if obis in (IMPORT, EXPORT) else STALE_S
        is_own = then_s == at_s and newest.reading.get(obis) is not None
        if is_own:
            assert obis in visible
        elif abs(at_s + age_s - then_s - limit_s) > 1e-3:
            assert (obis in visible) is (at_s + age_s - then_s < limit_s)


def test_the_two_lists_of_a_meter_are_one_record() -> None:
    energies = structure(
        octet_string(pushes.NAME),
        octet_string(b"16820001"),
        Element(axdr.ENUM, 1),
        octet_string(b"1"),
        *map(u4, (300, 100, 200, 30, 10, 20, 5, 6)),
    )
    hub = Hub(STALE_S)
    for at_s, body in enumerate((energies, pushes.ljubljana())):
        stream = encoder.hdlc(pushes.apdu(body))
        for reading in pushes.readings(stream):
            record, _ = normalise(reading, MeterMemory())
            hub.publish(replace(sample(at_s=float(at_s)), reading=record))
    merged = seen(hub.newest[pushes.METER_ID])
    assert merged[POWER] == (Decimal(660), 0.0)
    assert merged[IMPORT] == (Decimal(300), 1.0)
