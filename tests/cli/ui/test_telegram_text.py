"""A telegram as text: exact, in the order of the wire, in the documented form."""

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from iskra_server.cli.ui.telegram_text import as_json, as_line, as_lines, exact, kind, name, plural, value_text
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, MeterTime, Reading, Register
from iskra_server.meter.units import WATT, WATT_HOUR, Unit

SERVER_ID = bytes.fromhex("0a0149534b0004316b61")
ENERGY = Register(Obis.parse("1.8.0"), 107323091, -1, WATT_HOUR, 0x101A2)
READING = Reading(
    meter_id="1 ISK 00 70347617",
    server_id=SERVER_ID,
    registers=(
        Register(Obis.parse("1-0:96.50.1*1"), b"ISK"),
        ENERGY,
        Register(Obis.parse("16.7.0"), -5, None, WATT),
        Register(Obis.parse("129-129:199.130.5"), bytes(range(48))),
        Register(Obis.parse("1-0:99.1.2*3"), True),
        Register(Obis.parse("32.7.0"), b"", -1, Unit(35)),
        Register(Obis.parse("9.9.9"), 7, 3, Unit(200)),
    ),
    meter_time=MeterTime("sec_index", 99258240),
    protocol="sml",
    byte_count=456,
)


def test_json_is_the_documented_object() -> None:
    found = json.loads(as_json(READING))
    registers = found.pop("registers")
    assert found == {
        "meter_id": "1 ISK 00 70347617",
        "server_id": "0a0149534b0004316b61",
        "protocol": "sml",
        "meter_time": 99258240,
        "octets": 456,
    }
    assert as_json(READING).startswith('{"meter_id":"1 ISK 00 70347617","server_id":"0a0149534b0004316b61","protocol"')
    assert json.dumps(registers[1], separators=(",", ":")) == (
        '{"obis":"1-0:1.8.0*255","name":"energy_import","value":"10732309.1","unit":"Wh","raw":107323091,"scaler":-1,'
        '"status":"0x000101a2"}'
    )
    assert [register["obis"] for register in registers] == [str(register.obis) for register in READING.registers]


def test_json_of_what_is_no_scaled_number() -> None:
    maker, _, power, key, flag, empty, odd = json.loads(as_json(READING))["registers"]
    assert (maker["value"], maker["raw"], maker["text"]) == ("49534b", "49534b", "ISK")
    assert (power["value"], power["scaler"], power["status"]) == ("-5", None, None)
    assert key["value"] == key["raw"] == bytes(range(48)).hex()
    assert "text" not in key
    assert (flag["value"], flag["raw"], flag["name"], flag["unit"]) == (True, True, None, None)
    assert (empty["value"], empty["raw"], empty["unit"]) == ("", "", "V")
    assert (odd["value"], odd["unit"]) == ("7000", "unit 200")


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (MeterTime("sec_index", 99258240), "99258240 s"),
        (MeterTime("timestamp", 1795338319), "2026-11-22T09:05:19Z"),
        (MeterTime("local", 1795338319, 60, 60), "2026-11-22T09:05:19Z"),
        (MeterTime("wall", 1795338319), "2026-11-22T09:05:19"),
    ],
)
def test_a_time_has_a_zone_where_the_meter_tells_it(time: MeterTime, text: str) -> None:
    (heading,) = as_lines(replace(READING, registers=(), meter_time=time))
    assert heading == f"1 ISK 00 70347617  (meter time {text}, 456 bytes, sml)"


def test_a_telegram_without_proof_says_so() -> None:
    unchecked = replace(READING, registers=(), has_unchecked_tag=True, protection="none")
    assert list(as_lines(unchecked)) == [
        "1 ISK 00 70347617  (meter time 99258240 s, 456 bytes, sml, tag not checked: no authentication key, "
        "without a checksum)"
    ]
    assert as_json(unchecked).endswith('"octets":456,"authentic":false,"protected":false}')
    assert as_json(replace(unchecked, has_unchecked_tag=False, protection="tag")).endswith('"octets":456}')
    with_parity = replace(unchecked, has_unchecked_tag=False, protection="parity")
    assert kind(with_parity) == "sml, parity alone"
    assert as_json(with_parity).endswith('"octets":456,"checksum":false}')
    assert kind(replace(with_parity, protection="sum")) == "sml, a sum of 8 bits alone"


def test_a_fault_that_names_its_meter_and_an_unknown_list() -> None:
    fault = Fault("layout", "unknown list of 2 elements", 71, "1 ISK 00 12345678", ("u4 1", "u4 2"))
    assert list(as_lines(fault)) == ["! layout: 1 ISK 00 12345678, unknown list of 2 elements (71 bytes): u4 1, u4 2"]
    assert as_json(fault) == (
        '{"fault":"layout","detail":"unknown list of 2 elements","octets":71,'
        '"meter_id":"1 ISK 00 12345678","elements":["u4 1","u4 2"]}'
    )


def test_json_of_a_fault_and_of_a_telegram_without_time() -> None:
    assert (
        as_json(Fault("checksum", 'it is "wrong"', 12))
        == '{"fault":"checksum","detail":"it is \\"wrong\\"","octets":12}'
    )
    without = Reading("x", b"", (), None, "sml", 1)
    assert json.loads(as_json(without))["meter_time"] is None


def test_lines_for_people() -> None:
    assert list(as_lines(READING)) == [
        "1 ISK 00 70347617  (meter time 99258240 s, 456 bytes, sml)",
        "  1-0:96.50.1*1  manufacturer_id  ISK",
        "  1-0:1.8.0*255  energy_import  10732309.1 Wh  107323091e-1  0x000101a2",
        "  1-0:16.7.0*255  power  -5 W",
        f"  129-129:199.130.5*255  public_key  {bytes(range(48)).hex()}",
        "  1-0:99.1.2*3  true",
        "  1-0:32.7.0*255  voltage_l1  -",
        "  1-0:9.9.9*255  7000 unit 200  7e3",
    ]
    assert list(as_lines(Fault("cut", "short", 1))) == ["! cut: short (1 byte)"]


def test_one_line_for_a_log_has_every_number() -> None:
    assert (
        as_line(READING)
        == "1 ISK 00 70347617  energy_import=10732.3091 kWh  power=-5 W  1-0:9.9.9=7000 unit 200  (sml)"
    )


def test_numbers_have_every_digit_and_no_exponent() -> None:
    assert exact(Decimal((0, (5,), -10))) == "0.0000000005"
    assert exact(Decimal("12345678901234567890.10")) == "12345678901234567890.10"
    assert value_text(ENERGY) == "10732309.1 Wh"
    assert name(ENERGY) == "energy_import"


def test_plurals() -> None:
    assert [plural(count, "byte") for count in (0, 1, 1234)] == ["0 bytes", "1 byte", "1,234 bytes"]
