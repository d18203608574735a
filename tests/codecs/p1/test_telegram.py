from decimal import Decimal

import pytest
from msgspec.structs import replace

import samples
import texts
from iskra_server.codecs.p1.telegram import readings
from iskra_server.codecs.text.entries import Entries
from iskra_server.codecs.text.times import moment
from iskra_server.meter.guard import Guard, HeldBack
from iskra_server.meter.normalise import MeterMemory, normalise
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Sample

GAS_ID = texts.hex_text(texts.GAS_ID)


def read(*lines: str, ident: str = texts.P1_IDENT) -> list[Reading]:
    return list(readings(ident, Entries().read("\r\n".join(lines)), 100, protection="checksum"))


def test_the_meter_and_its_sub_meter_are_two_readings() -> None:
    meter, gas = read(*texts.p1_lines())
    assert (meter.meter_id, meter.channel, meter.byte_count) == (texts.P1_ID, 0, 100)
    assert meter.meter_time == moment("261122100519W")
    assert texts.value(meter, "1-0:1.8.1") == (Decimal(1234567), "Wh")
    assert meter.get(Obis.parse("0-1:24.2.1")) is None
    assert (gas.meter_id, gas.channel, gas.byte_count) == (texts.GAS_ID, 1, 0)
    assert gas.meter_time == moment("261122100010W") != meter.meter_time
    assert [str(each.value) for each in gas.numbers()] == ["1569.646"]


def test_a_relay_of_a_channel_is_the_meters_own() -> None:
    (meter,) = read("0-1:96.3.10(0)", "0-1:96.1.1()")
    assert [each.obis.short for each in meter.registers] == ["0-1:96.3.10"]


@pytest.mark.parametrize(
    "lines",
    [
        ["0-1:24.1.0(003)", "0-1:96.1.0()", "0-1:24.2.1(700101010000W)(00000000)"],
        ["0-2:24.1.0(007)", "0-2:96.1.0()", "0-2:24.2.1(632525252525S)(00000.000)"],
        ["0-1:24.1.0(003)", "0-1:96.1.0()", "0-1:24.2.1(261122100010W)(00001.000*m3)"],
        ["0-1:24.1.0(003)", f"0-1:96.1.0({GAS_ID})", "0-1:24.2.1(632525252525S)(00001.000*m3)"],
        ["0-1:24.1.0(003)", f"0-1:96.1.0({GAS_ID})", "0-1:24.2.1(261122100010W)(00001.000)"],
        ["0-1:24.1.0(003)", f"0-1:96.1.0({GAS_ID})"],
    ],
)
def test_a_channel_without_a_meter_or_a_time_is_no_reading(lines: list[str]) -> None:
    assert len(read(*lines)) == 1


def test_an_exchanged_meter_stays_the_meter_it_was() -> None:
    lines = [
        f"0-1:96.1.0({texts.hex_text('G0099000000000011')})",
        "0-1:24.2.1(200101000000W)(00500.000*m3)",
        f"0-2:96.1.0({GAS_ID})",
        "0-2:24.2.1(261122100010W)(00003.000*m3)",
    ]
    assert [(each.meter_id, each.channel) for each in read(*lines)[1:]] == [("G0099000000000011", 1), (texts.GAS_ID, 2)]


def test_gas_of_dsmr_3_has_its_value_on_a_line_of_its_own() -> None:
    lines = [
        "0-1:24.1.0(3)",
        f"0-1:96.1.0({GAS_ID})",
        "0-1:24.3.0(261122190000)(00)(60)(1)(0-1:24.2.1)(m3)",
        "(01168.041)",
    ]
    _, gas = read(*lines)
    assert texts.value(gas, "0-1:24.3.0") == (Decimal("1168.041"), "m³")
    assert gas.meter_time == moment("261122190000")
    # a month and a day that changed places: no time, the value stays
    _, gas = read(*(line.replace("261122190000", "262211190000") for line in lines))
    assert gas.meter_time is None and texts.value(gas, "0-1:24.3.0") is not None


def test_gas_of_dsmr_2_under_codes_of_its_own_medium() -> None:
    _, gas = read(f"7-0:0.0.0({GAS_ID})", "7-0:23.1.0(261122190000)(00)(60)(1)(7-0:23.2.0)(m3)", "(01168.041)")
    assert gas.meter_id == texts.GAS_ID and len(list(gas.numbers())) == 1


def test_a_sub_meter_whose_number_is_zeros_is_named_by_its_channel() -> None:
    _, gas = read("0-0:96.1.0(12345678)", "0-1:96.1.0(000000)", "0-1:24.2.1(261122100010W)(00001.000*m3)")
    assert gas.meter_id == "1 ISK 00 12345678 channel 1"


@pytest.mark.parametrize(
    ("lines", "ident", "meter_id"),
    [
        (["1-0:0.0.0(00000000)", "0-0:96.1.0(91318199)"], r"ISk5\2MIE5E-200", "1 ISK 00 91318199"),
        ([f"0-0:42.0.0({texts.hex_text('ISK1030770000001')})"], r"ISK5\2M550T", "1 ISK 00 70000001"),
        ([f"0-0:42.0.0({texts.hex_text('SAG1030790002599')})"], r"Lux5\253694471_M", "SAG1030790002599"),
        (["0-0:96.1.1(00000000000000)"], r"ISk5\2MT382-1004", "ISK MT382-1004"),
        ([], "KAM5", "KAM"),
    ],
)
def test_who_a_meter_is(lines: list[str], ident: str, meter_id: str) -> None:
    assert read(*lines, ident=ident)[0].meter_id == meter_id


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["0-0:1.0.0(260405154953S)"], "timestamp"),
        (["0-0:1.0.0(260405154953)"], "wall"),
        (["0-0:1.0.0(20240111 09:35:00)"], "wall"),
        (["1-0:0.9.1(094127)", "1-0:0.9.2(260130)"], "wall"),
        (["0-0:1.0.0(700101010000W)"], None),
        ([], None),
    ],
)
def test_the_time_of_the_meter(lines: list[str], kind: str | None) -> None:
    time = read(*lines)[0].meter_time
    assert (time and time.kind) == kind


def test_history_peaks_and_logs_are_never_now() -> None:
    (meter,) = read(
        "1-0:1.6.0(260509134558S)(02.589*kW)",
        "0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(260501000000S)(260423192538S)(03.695*kW)(260401000000S)(260305122139S)(05*kW)",
        "1-0:99.97.0(1)(0-0:96.7.19)(260417201458S)(0000000236*s)",
        "1-0:1.7.0(00.100*kW)",
    )
    numbers = {each.obis.short: each for each in meter.numbers()}
    assert numbers.keys() == {"1-0:1.6.0", "1-0:1.7.0"}
    assert numbers["1-0:1.6.0"].time == moment("260509134558S")


def record(lines: list[str], memory: MeterMemory, guard: Guard, at_s: float) -> Sample | HeldBack:
    meter, *_ = readings(texts.P1_IDENT, Entries().read("\r\n".join(lines)), 100, protection="none")
    content, left_out = normalise(meter, memory)
    assert left_out == ()
    return guard.admit(replace(samples.sample(at_s=at_s), reading=content))


def test_a_telegram_without_protection_stays_marked_and_passes_the_guard() -> None:
    memory, guard = MeterMemory(), Guard()
    assert isinstance(record(texts.p1_lines(), memory, guard, -10), HeldBack)
    first = record(texts.p1_lines(), memory, guard, 0)
    assert isinstance(first, Sample)
    assert first.reading.protection == "none"
    # a Dutch meter sends neither totals nor power with its sign
    assert texts.value(first.reading, "1.8.0") == texts.wh(1999999)
    assert texts.value(first.reading, "16.7.0") == (Decimal(321), "W")
    # a digit that nothing protected
    assert isinstance(record(texts.p1_lines(import_kwh="001334.567"), memory, guard, 10), HeldBack)
    assert isinstance(record(texts.p1_lines(import_kwh="001234.568"), memory, guard, 20), Sample)
