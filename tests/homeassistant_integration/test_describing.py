"""The rules of the integration against the register table: what MQTT says of a register, the integration says too."""

import json
from typing import get_args

import pytest

from homeassistant_integration.pure import FOLDER, module
from iskra_server.meter.medium import Medium
from iskra_server.meter.registers import REGISTERS, Description
from iskra_server.outputs.mqtt.entity_names import WORDS
from iskra_server.outputs.mqtt.payloads import describe_unnamed, published_unit

describing, model = module("describing"), module("model")


def register(name: str, unit: str | None, places: int | None = 0) -> object:
    return model.MeterRegister(name, name, name, name, "1", unit, places)


@pytest.mark.parametrize("row", REGISTERS.values(), ids=lambda row: row.key)
def test_every_row_of_the_table_has_its_classes(row: Description) -> None:
    shown = register(row.key, published_unit(row.key))
    assert describing.device_class(shown, "electricity") == row.device_class
    assert describing.state_class(shown) == row.state_class


@pytest.mark.parametrize(
    ("code", "unit"), [("1-0:1.8.9", "kWh"), ("1-0:16.8.9", "kWh"), ("1-0:1.9.0", "kWh"), ("1-0:99.7.0", "V")]
)
def test_a_register_outside_the_table_is_described_by_its_code(code: str, unit: str) -> None:
    row = describe_unnamed(code, unit)
    assert row
    shown = register(code, unit)
    assert (describing.device_class(shown, "electricity"), describing.state_class(shown)) == (
        row.device_class,
        row.state_class,
    )


def test_text_has_no_class() -> None:
    shown = register("firmware_version", None, None)
    assert (describing.device_class(shown, "electricity"), describing.state_class(shown)) == (None, None)


@pytest.mark.parametrize(
    ("medium", "unit", "expected"),
    [
        ("gas", "m³", "gas"),
        ("water", "m³", "water"),
        ("heat", "GJ", "energy"),
        ("heat", "kWh", "energy"),
        ("other", "m³", None),
    ],
)
def test_the_reading_of_a_sub_meter_is_of_its_medium(medium: str, unit: str, expected: str | None) -> None:
    shown = register("mbus2_reading", unit)
    assert describing.device_class(shown, medium) == expected
    assert describing.state_class(shown) == "total_increasing"
    assert describing.translation_key(shown, is_sub_meter=True) == "meter_reading"
    assert describing.translation_key(register("mbus2_valve", None), is_sub_meter=True) == "mbus2_valve"


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_is_no_register_has_the_name_that_it_has_by_mqtt(language: str) -> None:
    texts = json.loads((FOLDER / "translations" / f"{language}.json").read_text())
    words = {key: names[language] for key, names in WORDS.items()}  # type: ignore[index]
    ours = {key: text["name"] for entities in texts["entity"].values() for key, text in entities.items()}
    assert ours["meter_reading"] == words["reading"]
    for key in ("fault", "locked", "problem", "signal_quality"):
        assert ours[key] == words[key]
    for medium in get_args(Medium):
        assert texts["device"][medium]["name"] == f"{words[medium]} {{name}}"
        assert texts["device"][f"{medium}_simulated"]["name"] == f"{words[medium]} {{name}} ({words['simulated']})"
