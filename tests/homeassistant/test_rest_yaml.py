"""The YAML for Home Assistant: right in shape, and its templates right in each failure."""

import random
from decimal import Decimal
from typing import get_args

import pytest
import yaml

from iskra_server.homeassistant.rest_yaml import (
    ListedMeter,
    ListedRegister,
    address,
    meters_yaml,
    total_yaml,
    whole_yaml,
)
from iskra_server.meter.medium import Medium

METER = ListedMeter(
    id="1 ISK 00 10000001",
    registers=[
        ListedRegister("server_id", "Server id", "0a01"),
        ListedRegister("energy_import", "Active energy import, total", 37227.5, "Wh"),
        ListedRegister("power", "Active power", -3.0, "W"),
        ListedRegister("1-0:99.9.9", "1-0:99.9.9", 1.0),
    ],
)


def test_the_total_has_what_the_energy_dashboard_needs_and_survives_each_failure() -> None:
    assert list(total_yaml("http://pi:8080")) == [
        "# configuration.yaml: the exact meter reading, for the Energy dashboard",
        "sensor:",
        "  - platform: rest",
        '    name: "Electricity meter"',
        '    unique_id: "iskra_electricity_total"',
        '    resource: "http://pi:8080/api/electricity/cumulated"',
        "    scan_interval: 10",
        "    timeout: 5",
        '    value_template: "{{ value_json.value | float }}"',
        '    availability: "{{ value_json is defined and value_json.value is number }}"',
        "    device_class: energy",
        "    state_class: total_increasing",
        "    unit_of_measurement: kWh",
    ]


def test_a_gas_meter_has_the_class_of_gas() -> None:
    gas = ListedMeter(
        id="G0099", medium="gas", channel=1, registers=[ListedRegister("mbus1_reading", "Gas", 1.5, "m³")]
    )
    heat = ListedMeter(
        id="H0099", medium="heat", channel=1, registers=[ListedRegister("mbus1_reading", "Heat", 1.5, "J")]
    )
    lines = list(meters_yaml("http://pi:8080", [gas, heat]))
    assert '      - name: "Gas meter reading"' in lines and '      - name: "Heat meter reading"' in lines
    (sensor,) = (line for line in lines if "device_class" in line)
    assert sensor.strip() == "device_class: gas"


def test_every_number_of_a_meter_is_a_sensor_of_one_request() -> None:
    lines = list(meters_yaml("http://pi:8080", [METER]))
    assert '  - resource: "http://pi:8080/api/v1/meters/1ISK0010000001"' in lines
    assert [line.strip() for line in lines if "unique_id" in line] == [
        'unique_id: "1isk0010000001_energy_import"',
        'unique_id: "1isk0010000001_power"',
    ]
    power = lines[lines.index('        unique_id: "1isk0010000001_power"') :]
    picked = "(value_json.registers | selectattr('name', 'eq', 'power') | map(attribute='value') | first)"
    here = "value_json is defined and value_json.registers is defined"
    assert power[1:] == [
        f'        value_template: "{{{{ {picked} | float }}}}"',
        f'        availability: "{{{{ {here} and {picked} is number }}}}"',
        "        device_class: power",
        "        state_class: measurement",
        '        unit_of_measurement: "W"',
    ]


@pytest.mark.parametrize(
    ("unit", "shown", "size", "places"),
    [("Wh", "kWh", "1000", 6), ("varh", "kvarh", "1000", 6), ("J", "GJ", "1000000000", 12)],
)
def test_energy_is_in_the_unit_of_the_dashboard_with_the_digits_of_the_meter(
    unit: str, shown: str, size: str, places: int
) -> None:
    meter = ListedMeter(METER.id, registers=[ListedRegister("energy_import", "Energy import", 1100.0, unit)])
    lines = [line.strip() for line in meters_yaml("http://pi:8080", [meter])]
    assert f'unit_of_measurement: "{shown}"' in lines
    picked = "(value_json.registers | selectattr('name', 'eq', 'energy_import') | map(attribute='value') | first)"
    assert f'value_template: "{{{{ ({picked} | float / {size}) | round({places}) }}}}"' in lines
    # what Home Assistant computes from that, for tenths of every size that a counter has
    for tenths in (1, 11, 123_456_789, 9_999_999_999_999, *(random.getrandbits(40) for _ in range(1_000))):
        value = Decimal(tenths).scaleb(-1)
        assert Decimal(repr(round(float(value) / int(size), places))) == value / int(size)


def test_a_register_outside_the_table_goes_by_its_code_and_needs_a_unit() -> None:
    rows = [ListedRegister("1-1:1.8.0", "1-1:1.8.0", 1.5, "Wh"), ListedRegister("1-0:99.8.7", "1-0:99.8.7", 7.0)]
    lines = [line.strip() for line in meters_yaml("http://pi:8080", [ListedMeter(METER.id, registers=rows)])]
    assert [line for line in lines if "unique_id" in line] == ['unique_id: "1isk0010000001_1_1_1_8_0"']
    assert '- name: "1-1:1.8.0"' in lines
    assert any("selectattr('name', 'eq', '1-1:1.8.0')" in line for line in lines)


def test_simulated_values_say_so_in_every_name() -> None:
    simulated = ListedMeter(METER.id, simulated=True, registers=METER.registers)
    names = [line for line in (*total_yaml("x", simulated=True), *meters_yaml("x", [simulated])) if "name: " in line]
    assert len(names) == 3
    assert all(name.endswith(' (simulated)"') for name in names)


def test_german_names_are_those_of_the_register_table_and_nothing_else_differs() -> None:
    gas = ListedMeter("G0099", "gas", 1, registers=[ListedRegister("mbus1_reading", "Gas", 1.5, "m³")])
    simulated = ListedMeter("1 ISK 00 20000002", simulated=True, registers=METER.registers)
    meters = [METER, gas, simulated]
    english, german = (whole_yaml("http://pi:8080", meters, language).splitlines() for language in ("en", "de"))
    differing = [(en, de) for en, de in zip(english, german, strict=True) if en != de]
    comments = [de for _, de in differing if de.startswith("#")]
    assert [comment.partition(",")[0] for comment in comments] == [
        "# configuration.yaml: der exakte Zählerstand",
        "# configuration.yaml: alle Register von 1 ISK 00 10000001 und G0099 und 1 ISK 00 20000002 (simuliert)",
    ]
    assert [(en.split('"')[1], de.split('"')[1]) for en, de in differing if de not in comments] == [
        ("Electricity meter (simulated)", "Stromzähler (simuliert)"),
        ("Active energy import, total", "Zählerstand Bezug"),
        ("Active power", "Leistung"),
        ("Gas meter reading", "Zählerstand Gas"),
        ("Active energy import, total (simulated)", "Zählerstand Bezug (simuliert)"),
        ("Active power (simulated)", "Leistung (simuliert)"),
    ]


def test_every_medium_has_a_name_in_both_languages() -> None:
    for language in ("en", "de"):
        for medium in get_args(Medium):
            meter = ListedMeter("X", medium, 1, registers=[ListedRegister("mbus1_reading", "X", 1.5, "m³")])
            (name,) = (line for line in meters_yaml("http://pi:8080", [meter], language) if "- name: " in line)
            assert (name.count("ählerstand"), name.count("eading")) == ((0, 1) if language == "en" else (1, 0))


def test_the_whole_is_yaml_with_every_meter() -> None:
    other = ListedMeter("1 ISK 00 20000002", registers=METER.registers)
    content = yaml.safe_load(whole_yaml("http://pi:8080", [METER, other]))
    assert len(content["sensor"]) == 1
    assert [each["resource"][-14:] for each in content["rest"]] == ["1ISK0010000001", "1ISK0020000002"]
    assert [len(each["sensor"]) for each in content["rest"]] == [2, 2]
    assert "rest" not in yaml.safe_load(whole_yaml("http://pi:8080", []))


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://pi:8080/", "http://pi:8080"),
        ("https://home.example/api/ingress", "https://home.example/api/ingress"),
        ("http://[fd00::1]:8080", "http://[fd00::1]:8080"),
    ],
)
def test_an_address_has_no_slash_at_its_end(url: str, found: str) -> None:
    assert address(url) == found


@pytest.mark.parametrize("url", ["pi:8080", "ftp://pi", 'http://pi"\n- evil: yes'])
def test_another_text_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not the address of a server; write it like http://192\.168\.1\.10:8080\.$"
    ):
        address(url)
