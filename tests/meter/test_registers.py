from iskra_server.meter.obis import Obis
from iskra_server.meter.registers import BY_KEY, REGISTERS, SECRET, describe, key_of
from iskra_server.meter.units import SYMBOLS


def test_keys_are_unique_and_are_names() -> None:
    assert len(BY_KEY) == len(REGISTERS) >= 100
    assert all(key.isidentifier() and key == key.lower() for key in BY_KEY)


def test_every_row_has_both_labels_and_a_unit_that_exists() -> None:
    for row in REGISTERS.values():
        assert row.en
        assert row.de
        assert row.unit in {None, *SYMBOLS.values()}


def test_the_names_that_everyone_uses() -> None:
    names = {"1.8.0": "energy_import", "2.8.0": "energy_export", "16.7.0": "power", "36.7.0": "power_l1"}
    assert {code: key_of(Obis.parse(code)) for code in names} == names


def test_a_register_outside_the_table_goes_by_its_code() -> None:
    code = Obis.parse("1-0:0.8.1")
    assert describe(code) is None
    assert key_of(code) == "1-0:0.8.1"


def test_counters_are_those_that_only_grow() -> None:
    assert BY_KEY["energy_import"].is_counter
    assert not BY_KEY["energy_net"].is_counter
    assert not BY_KEY["power"].is_counter


def test_the_public_key_is_secret() -> None:
    assert BY_KEY["public_key"].obis in SECRET
