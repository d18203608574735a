from decimal import Decimal

import pytest
from msgspec.structs import replace

import texts
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.meter.medium import is_electricity, medium
from iskra_server.meter.normalise import MeterMemory, normalise
from iskra_server.meter.reading import Reading, Register
from samples import energy, power, reading


def sub_meters(*lines: str) -> list[Reading]:
    """The records of the sub-meters in a telegram with these lines more."""
    found = texts.readings(texts.decode(P1Decoder(), texts.p1_telegram([*texts.p1_lines()[:-3], *lines])))
    return [normalise(each, MeterMemory())[0] for each in found if each.channel]


@pytest.mark.parametrize(
    ("kind", "value", "expected", "counted", "unit"),
    [
        ("003", "01569.646*m3", "gas", "1569.646", "m³"),
        ("007", "00872.234*m3", "water", "872.234", "m³"),
        ("006", "00072.234*m3", "water", "72.234", "m³"),
        ("004", "00012.345*GJ", "heat", "12345000000", "J"),
        ("012", "00345.6*kWh", "heat", "345600", "Wh"),
        ("099", "00001.000*m3", "other", "1.000", "m³"),
    ],
)
def test_a_sub_meter_measures_what_its_type_says(kind: str, value: str, expected: str, counted: str, unit: str) -> None:
    (sub_meter,) = sub_meters(f"0-1:24.1.0({kind})", "0-1:96.1.0(4730303939)", f"0-1:24.2.1(261122100010W)({value})")
    assert medium(sub_meter) == expected
    (counter,) = (register for register in sub_meter.numbers() if register.obis.short.endswith("24.2.1"))
    assert (counter.value, str(counter.unit)) == (Decimal(counted), unit)
    assert counter.time
    assert not is_electricity(sub_meter)


def test_a_meter_of_its_own_measures_what_its_codes_say() -> None:
    assert medium(reading(energy(5), power(3))) == "electricity"
    assert medium(reading()) == "electricity"
    heat = replace(energy(5), obis=energy(5).obis.parse("6-0:6.8.0"))
    assert medium(reading(heat, Register(heat.obis.parse("0-0:96.1.0"), b"1"))) == "heat"
    assert is_electricity(reading(energy(5))) and not is_electricity(reading(heat))
