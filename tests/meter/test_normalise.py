from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from iskra_server.meter.guard import Guard
from iskra_server.meter.normalise import MeterMemory, merge_parts, normalise
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, MeterTime, Reading, Register, Sample
from iskra_server.meter.registers import unit_of
from iskra_server.meter.units import NO_UNIT, VAR_HOUR, VOLT_AMPERE_HOUR, WATT, WATT_HOUR, Unit
from samples import EXPORT, IMPORT, POWER, energy, power, reading, sample

TWICE, UNIT, NEGATIVE = "sent twice with different values", "sent in a unit that it cannot have", "below 0"
DZG = bytes.fromhex("0a01445a470000bc614e")
VOLTAGE = Obis.parse("32.7.0")


def said(*registers: Register) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """The numbers of the record with their unit, and what it leaves out."""
    record, rejected = normalise(reading(*registers), MeterMemory())
    numbers = {
        each.obis.short: (format(each.value, "f"), str(each.unit or ""))
        for each in record.registers
        if each.value is not None
    }
    return numbers, {each.obis.short: each.reason for each in rejected}


def test_a_usual_telegram_stays_as_it_is() -> None:
    usual = reading(Register(Obis.parse("129-129:199.130.3"), b"ISK"), energy(1000), energy(70, obis=EXPORT), power(-5))
    record, rejected = normalise(usual, MeterMemory())
    assert record is usual and rejected == ()


@pytest.mark.parametrize(
    ("registers", "numbers", "rejected"),
    [
        ([energy(1000), energy(1000)], {"1-0:1.8.0": ("100.0", "Wh")}, {}),
        ([energy(1000), energy(100, 0)], {"1-0:1.8.0": ("100.0", "Wh")}, {}),
        ([energy(1000), energy(500), power(5)], {"1-0:16.7.0": ("5", "W")}, {"1-0:1.8.0": TWICE}),
        ([energy(1000), energy(500), energy(1000)], {}, {"1-0:1.8.0": TWICE}),
        ([energy(1000), replace(energy(0), raw=b"")], {"1-0:1.8.0": ("100.0", "Wh")}, {}),
        ([replace(energy(0), raw=b""), energy(1000)], {"1-0:1.8.0": ("100.0", "Wh")}, {}),
        ([energy(1000), replace(energy(0), raw=b"text")], {}, {"1-0:1.8.0": TWICE}),
        # the same code with another F group is another register
        ([energy(1000), energy(500, obis=Obis.parse("1.8.0*99"))],
         {"1-0:1.8.0": ("100.0", "Wh"), "1-0:1.8.0*99": ("50.0", "Wh")}, {}),
    ],
)  # fmt: skip
def test_duplicates(registers: list[Register], numbers: dict[str, tuple[str, str]], rejected: dict[str, str]) -> None:
    assert said(*registers) == (numbers, rejected)


@pytest.mark.parametrize(
    ("raw", "scaler", "is_shown"),
    [
        (28136, 127, False),
        (0, 127, False),
        (28136, 10, False),
        (28136, -127, False),
        (281360734, 6, True),
        (10**15 - 1, 0, True),
        (10**15, 0, False),
        (-(10**15), 0, False),
        (10**19 - 1, -4, True),
        (10**19, -4, False),
        # most of the numbers that a meter sends have no scaler
        (2**63, None, False),
    ],
)
def test_what_no_meter_can_show_is_left_out(raw: int, scaler: int | None, is_shown: bool) -> None:
    for code in ("16.7.0", "1.8.0", "32.7.0", "0-1:24.2.1", "99.8.0"):
        numbers, rejected = said(
            replace(energy(raw, obis=Obis.parse(code)), scaler=scaler, unit=unit_of(Obis.parse(code)) or WATT_HOUR)
        )
        assert list(rejected.values()) == ([] if is_shown else ["more than a meter can show"])
        assert bool(numbers) is is_shown


def test_no_total_is_derived_without_a_tariff_that_is_rejected() -> None:
    tariffs = [energy(raw, obis=Obis.parse(f"1.8.{place}")) for place, raw in ((1, 1000), (2, 2000), (3, 3000))]
    for rejected in (replace(tariffs[0], scaler=99), replace(tariffs[0], unit=WATT)):
        assert "1-0:1.8.0" not in said(rejected, *tariffs[1:])[0]
    assert "1-0:1.8.0" not in said(replace(tariffs[0], raw=1), *tariffs)[0]
    assert "1-0:1.8.0" in said(*tariffs)[0]


def test_a_number_without_a_unit_may_have_any_size() -> None:
    numbers, rejected = said(Register(Obis.parse("0.0.0"), 10**20), Register(Obis.parse("96.13.1"), 10**18, 0, NO_UNIT))
    assert (len(numbers), rejected) == (2, {})


@pytest.mark.parametrize(
    ("code", "sent", "expected"),
    [
        ("1.8.0", WATT_HOUR, "Wh"),
        ("1.8.0", None, "Wh"),
        ("1.8.0", NO_UNIT, "Wh"),
        ("1.8.0", VAR_HOUR, None),
        ("1.8.0", Unit(200), None),
        ("16.7.0", None, "W"),
        ("16.7.0", VOLT_AMPERE_HOUR, None),
        ("32.7.0", None, "V"),
        ("1-1:1.8.0", None, "Wh"),
        ("1-1:1.8.0", WATT, None),
        # nothing is known of these
        ("1-0:250.8.0", None, ""),
        ("1-0:250.8.0", WATT_HOUR, "Wh"),
        ("1-0:250.8.0", NO_UNIT, ""),
        ("13.7.0", NO_UNIT, ""),
    ],
)
def test_units(code: str, sent: Unit | None, expected: str | None) -> None:
    obis = Obis.parse(code)
    numbers, rejected = said(Register(obis, 1000, -1, sent))
    if expected is None:
        assert (numbers, rejected) == ({}, {obis.short: UNIT})
    else:
        assert numbers[obis.short] == ("100.0", expected)
        assert rejected == {}


def test_of_two_entries_the_one_in_a_possible_unit_is_the_register() -> None:
    assert said(replace(energy(9), unit=VAR_HOUR), energy(1000)) == (
        {"1-0:1.8.0": ("100.0", "Wh")},
        {"1-0:1.8.0": UNIT},
    )


def test_a_total_that_is_left_out_is_not_made_up_from_tariffs() -> None:
    tariffs = [energy(raw, obis=Obis.parse(code)) for raw, code in ((600, "1.8.1"), (400, "1.8.2"))]
    numbers, rejected = said(energy(1000), energy(999), *tariffs)
    assert "1-0:1.8.0" not in numbers and rejected == {"1-0:1.8.0": TWICE}


def test_an_export_below_0_is_left_out() -> None:
    numbers, rejected = said(Register(Obis.parse("2.7.0"), -5, 0, WATT))
    assert (numbers, rejected) == ({}, {"1-0:2.7.0": NEGATIVE})


def test_the_width_on_the_wire_is_that_of_the_register() -> None:
    total = Register(IMPORT, 100, -1, WATT_HOUR, 0x40104)
    content = replace(
        reading(total, Register(Obis.parse("36.7.0"), -14836, -2, WATT)), server_id=DZG, widths=bytes((8, 2))
    )
    record, _ = normalise(content, MeterMemory())
    assert [(each.obis.short, str(each.value), each.derived) for each in record.registers[1:]] == [
        ("1-0:36.7.0", "507.00", "corrected width"),
        ("1-0:16.7.0", "507.00", "only phase"),
    ]


def test_the_lists_of_a_telegram_are_one_reading() -> None:
    first, second = reading(energy(1000)), replace(reading(Register(VOLTAGE, 2301, -1)), part=1)
    first, second = replace(first, widths=b"\x08"), replace(second, widths=b"\x02")
    stranger = replace(second, server_id=DZG, part=2)
    fault = Fault("noise", "", 3)
    found = list(merge_parts([first, second, stranger, fault, first, first]))
    assert [result.registers if isinstance(result, Reading) else result for result in found] == [
        first.registers + second.registers, stranger.registers, fault, first.registers, first.registers
    ]  # fmt: skip
    assert isinstance(found[0], Reading) and found[0].widths == b"\x08\x02"


CODES = [Obis.parse(code) for code in (
    "1.8.0", "1.8.1", "1.8.2", "2.8.0", "1-1:1.8.0", "1-2:2.8.0", "16.7.0", "36.7.0", "56.7.0", "76.7.0", "15.7.0",
    "1.7.0", "2.7.0", "21.7.0", "22.7.0", "1-0:250.8.0", "1.8.0*99", "1.7.1", "96.1.0",
)]  # fmt: skip
registers = st.builds(
    Register,
    st.sampled_from(CODES),
    st.one_of(st.integers(-5, 5), st.integers(-(2**63), 2**64 - 1), st.binary(max_size=3), st.booleans()),
    st.sampled_from((None, -4, -1, 0, 3)),
    st.sampled_from((None, WATT, WATT_HOUR, NO_UNIT, VAR_HOUR)),
    st.sampled_from((None, 0x182, 0x1C0104, 0x1C4904)),
)
readings = st.builds(
    lambda content, server_id, seconds: replace(
        reading(*content),
        server_id=server_id,
        widths=bytes(2 for _ in content),
        meter_time=MeterTime("sec_index", seconds),
    ),
    st.lists(registers, max_size=12),
    st.sampled_from((DZG, reading().server_id)),
    st.integers(0, 2**32 - 1),
)


@given(readings)
def test_normalising_is_idempotent(content: Reading) -> None:
    memory = MeterMemory()
    record, _ = normalise(content, memory)
    assert normalise(record, memory) == (record, ())


@given(st.lists(readings, max_size=8))
def test_a_record_has_each_code_once_in_a_possible_unit_and_no_half_below_0(contents: list[Reading]) -> None:
    memory = MeterMemory()
    for content in contents:
        record, _ = normalise(content, memory)
        numbers = {each.obis: each for each in record.registers if each.value is not None}
        assert len({each.obis for each in record.registers}) == len(record.registers)
        assert all(each.unit == unit_of(obis) for obis, each in numbers.items() if unit_of(obis))
        for code in ("1.7.0", "2.7.0", "15.7.0", "21.7.0", "22.7.0"):
            assert int(numbers.get(Obis.parse(code), power(0)).raw) >= 0


@given(st.lists(readings, max_size=20))
def test_what_is_normalised_and_guarded_never_goes_back(contents: list[Reading]) -> None:
    guard, memory = Guard(), MeterMemory()
    last: dict[tuple[int, Obis], Register] = {}
    for number, content in enumerate(contents):
        record, _ = normalise(content, memory)
        result = guard.admit(replace(sample(at_s=60.0 * number), reading=record))
        if not isinstance(result, Sample):
            continue
        for each in result.reading.registers:
            if each.obis in (IMPORT, EXPORT) and each.value is not None:
                before = last.get((result.epoch, each.obis))
                assert each.value >= 0
                assert before is None or before.value is None or each.value >= before.value
                last[result.epoch, each.obis] = each


def test_a_record_with_marks_is_not_normalised_again() -> None:
    derived = reading(replace(power(-5), derived="direction from counters"), energy(1), energy(2))
    assert normalise(derived, MeterMemory()) == (derived, ())
    assert derived.registers[0].obis == POWER


@pytest.mark.parametrize("damaged", ["1.8.0", "1.8.3", "1-1:1.8.0"])
def test_a_damaged_code_without_a_checksum_does_not_end_the_total(damaged: str) -> None:
    """The code of a tariff that comes once is damage: without a checksum nothing is learned from it."""
    memory = MeterMemory()
    tariffs = [energy(600, obis=Obis.parse("1.8.1")), energy(400, obis=Obis.parse("1.8.2"))]

    def total(*registers: Register) -> Decimal | None:
        record, _ = normalise(replace(reading(*registers), protection="none"), memory)
        register = record.get(IMPORT)
        return register.value if register else None

    assert total(*tariffs) == 100
    total(tariffs[0], energy(400, obis=Obis.parse(damaged)))
    assert total(*tariffs) == 100
    # twice alike it is a code of the meter
    for _ in range(2):
        total(*tariffs, energy(5, obis=Obis.parse("1.8.3")))
    assert total(*tariffs) is None
