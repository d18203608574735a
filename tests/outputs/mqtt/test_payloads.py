"""Numbers as they are published: exact, energy in kWh, the three powers."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import submeters
import telegrams
from iskra_server.diagnosis.facts import Facts
from iskra_server.diagnosis.status import run_checks
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample
from iskra_server.meter.registers import REGISTERS, SECRET
from iskra_server.meter.units import WATT, WATT_HOUR, Unit
from iskra_server.outputs.mqtt import payloads


def reading(*registers: tuple[str, int | bytes, int, Unit | None]) -> Reading:
    entries = tuple(Register(Obis.parse(code), raw, scaler, unit) for code, raw, scaler, unit in registers)
    return Reading("1 ISK 00 00048206", telegrams.SERVER_ID, entries, None, "sml", 400)


def sample(content: Reading) -> Sample:
    return Sample(content, datetime(2026, 11, 22, 10, tzinfo=UTC), 1.0, simulated=False, source="/dev/x", epoch=2)


@pytest.mark.parametrize(
    ("raw", "scaler", "text"),
    [(107323091, -1, "10732.3091"), (7167, 3, "7167"), (123450, -1, "12.3450"), (0, -1, "0.0000"), (5, 4, "50")],
)
def test_energy_is_in_kwh_with_the_digits_of_the_meter(raw: int, scaler: int, text: str) -> None:
    numbers = payloads.numbers_of(reading(("1.8.0", raw, scaler, WATT_HOUR)))
    assert payloads.state_payload(sample(reading()), numbers).endswith(f',"energy_import":{text}}}'.encode())


@given(raw=st.integers(-(2**63), 2**63 - 1), scaler=st.integers(-6, 6))
def test_no_digit_is_lost(raw: int, scaler: int) -> None:
    numbers = payloads.numbers_of(reading(("1.8.0", raw, scaler, WATT_HOUR)))
    printed = msgspec.json.decode(payloads.state_payload(sample(reading()), numbers), type=dict[str, msgspec.Raw])
    assert Decimal(bytes(printed["energy_import"]).decode()) * 1000 == Decimal(raw).scaleb(scaler)


@pytest.mark.parametrize(
    ("power", "imported", "exported"), [(-425, "0.0", "42.5"), (425, "42.5", "0.0"), (0, "0.0", "0.0")]
)
def test_signed_power_gives_the_two_positive_ones(power: int, imported: str, exported: str) -> None:
    numbers = payloads.numbers_of(reading(("16.7.0", power, -1, WATT)))
    assert {key: str(value) for key, value in numbers.items()} == {
        "power": str(Decimal(power) / 10) if power else "0.0",
        "power_import": imported,
        "power_export": exported,
    }


def test_what_the_meter_sends_itself_is_not_derived() -> None:
    numbers = payloads.numbers_of(reading(("16.7.0", 5, 0, WATT), ("1.7.0", 7, 0, WATT), ("2.7.0", 2, 0, WATT)))
    assert numbers == {"power": 5, "power_import": 7, "power_export": 2}


def test_one_positive_power_says_nothing_of_the_other() -> None:
    assert payloads.numbers_of(reading(("1.7.0", 7, 0, WATT))) == {"power_import": 7}


def test_only_numbers_are_published() -> None:
    secret = next(iter(SECRET))
    content = reading((str(secret), bytes(48), 0, None), ("0.0.9", b"\x0a\x01", 0, None), ("14.7.0", 500, -1, Unit(44)))
    assert payloads.numbers_of(content) == {"frequency": Decimal("50.0")}


def test_a_register_outside_the_table_goes_by_its_code() -> None:
    numbers = payloads.numbers_of(reading(("1-0:1.9.0", 1234, -1, WATT_HOUR), ("1-0:99.8.7", 7, 0, None)))
    assert numbers == {"1-0:1.9.0": Decimal("0.1234"), "1-0:99.8.7": 7}
    assert payloads.counters_of(numbers) == {"1-0:99.8.7": 7}


def test_counters_are_what_counts_up() -> None:
    content = reading(("1.8.0", 1, 0, WATT_HOUR), ("16.8.0", 1, 0, WATT_HOUR), ("16.7.0", 1, 0, WATT))
    assert set(payloads.counters_of(payloads.numbers_of(content))) == {"energy_import", "energy_net"}


@pytest.mark.parametrize(
    ("key", "unit", "device_class", "state_class"),
    [
        ("1-0:1.9.0", "kWh", "energy", None),
        ("1-1:1.8.0", "kWh", "energy", "total_increasing"),
        ("1-0:36.8.0", "kWh", "energy", "total"),
        ("1-0:99.7.0", "W", "power", "measurement"),
        ("1-0:99.7.0", "°C", None, "measurement"),
    ],
)
def test_a_register_outside_the_table_is_described_by_its_code_and_unit(
    key: str, unit: str, device_class: str | None, state_class: str | None
) -> None:
    row = payloads.describe_unnamed(key, unit)
    assert row is not None
    assert (row.key, row.en, row.unit) == (key, key, unit)
    assert (row.device_class, row.state_class) == (device_class, state_class)


@pytest.mark.parametrize(("key", "unit"), [("1-0:1.9.0", ""), ("name", "kWh"), ("1.9.0", "kWh"), ("1-0:999.9.0", "W")])
def test_what_has_no_code_or_no_unit_is_not_described(key: str, unit: str) -> None:
    assert payloads.describe_unnamed(key, unit) is None


def test_units_are_those_of_what_is_published() -> None:
    content = reading(("1.8.0", 1, 0, WATT_HOUR), ("1-0:1.9.0", 1, 0, WATT_HOUR), ("13.7.0", 1, 0, None))
    assert payloads.units(content) == {"energy_import": "kWh", "1-0:1.9.0": "kWh"}


def test_energy_has_a_unit_of_a_thousand() -> None:
    units = {row.unit: payloads.published_unit(row.key) for row in REGISTERS.values()}
    assert units["Wh"] == "kWh"
    assert units["varh"] == "kvarh"
    assert units["VAh"] == "kVAh"
    assert (units["W"], units["V"], units[None]) == ("W", "V", None)


def test_a_state_says_who_and_when() -> None:
    assert msgspec.json.decode(payloads.state_payload(sample(reading()), {})) == {
        "id": "1 ISK 00 00048206",
        "received_at": "2026-11-22T10:00:00.000Z",
        "fresh": True,
        "simulated": False,
        "epoch": 2,
    }


def test_a_gas_meter_says_when_it_was_read() -> None:
    electricity, gas, _ = (
        msgspec.json.decode(payloads.state_payload(record, {}), type=dict[str, object])
        for record in submeters.p1_samples()
    )
    assert (electricity.get("read_at"), gas["read_at"]) == (None, "2026-11-22T09:00:10Z")


def test_without_a_fresh_reading_there_is_no_number() -> None:
    assert msgspec.json.decode(payloads.silent_payload(sample(reading(("1.8.0", 1, 0, WATT_HOUR))))) == {
        "id": "1 ISK 00 00048206",
        "last_seen": "2026-11-22T10:00:00.000Z",
        "fresh": False,
        "simulated": False,
    }
    assert msgspec.json.decode(payloads.silent_payload(None)) == {"fresh": False}


def test_diagnostics_are_what_the_reader_counted() -> None:
    facts = Facts(
        name="",
        source="auto",
        port="/dev/x",
        is_open=True,
        simulated=False,
        byte_count=900,
        data_age_s=0.1,
        telegrams=2,
        faults={"checksum": 1},
        unreadable={"encrypted": 3},
        quarantined=0,
        meter_id="m",
        age_s=0.12345,
        stale_after_s=60.0,
        locked=True,
    )
    told = payloads.diagnostics("m", run_checks(facts), problem=False, language="de")
    assert told.faults == {"checksum": 1, "encrypted": 3}
    assert (told.problem, told.sentence) == (False, str(run_checks(facts).advice.de))
    assert (told.valid_ratio, told.locked, told.age_s, told.failed_check) == (0.6667, True, 0.123, "unlocked")


def test_the_payloads_in_the_documentation_are_these() -> None:
    page = (Path(__file__).parents[3] / "docs" / "mqtt.md").read_text()
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    head = msgspec.json.decode(payloads.state_payload(sample(reading()), {}), type=dict[str, object])
    numbers = {"energy_import", "energy_export", "power", "power_import", "power_export"}
    assert list(shown[0]) == [*head, *(key for key in shown[0] if key in numbers)]
    assert set(shown[0]) == {*head, *numbers}
    assert list(shown[1]) == list(
        msgspec.json.decode(payloads.silent_payload(sample(reading())), type=dict[str, object])
    )
    assert list(shown[2]) == list(payloads.Diagnostics.__struct_fields__)
