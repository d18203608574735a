"""Names and ids of entities."""

from iskra_server.base.language import Language
from iskra_server.meter.registers import REGISTERS
from iskra_server.outputs.mqtt.entity_names import WORDS, Device, device_name, identity_of

DEVICE = Device("0a01", "1 ISK 00 70347617", "", "ISK", None, simulated=False)


def named(name: str) -> Device:
    return Device("0a01", "1 ISK 00 70347617", name, "ISK", None, simulated=False)


def test_ids_are_the_same_in_both_languages() -> None:
    languages: tuple[Language, ...] = ("en", "de")
    english, german = (identity_of(DEVICE, "sensor", "cost_today", language) for language in languages)
    assert (english["name"], german["name"]) == ("Cost today", "Kosten heute")
    assert english["unique_id"] == german["unique_id"] == "iskra_0a01_cost_today"
    assert english["default_entity_id"] == german["default_entity_id"]
    assert english["default_entity_id"] == "sensor.electricity_meter_1_isk_00_70347617_cost_today"


def test_the_deprecated_id_is_never_sent() -> None:
    assert "object_id" not in identity_of(DEVICE, "sensor", "cost_today", "en")


def test_ids_of_a_named_meter_have_its_name() -> None:
    ids = [
        identity_of(named(name), "event", "fault", "de")["default_entity_id"]
        for name in ("Zähler Büro", "Straße 5", "Счётчик")
    ]
    assert ids == ["event.zahler_buro_fault", "event.strasse_5_fault", "event.0a01_fault"]
    assert device_name(named("Büro"), "de") == "Büro"
    assert device_name(DEVICE, "de") == "Stromzähler 1 ISK 00 70347617"


def test_every_name_is_there_in_both_languages_and_unlike_that_of_a_register() -> None:
    assert all(set(names) == {"en", "de"} for names in WORDS.values())
    entities = {row.en for row in REGISTERS.values()} & {names["en"] for names in WORDS.values()}
    assert entities == set()
