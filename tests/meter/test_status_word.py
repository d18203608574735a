import pytest
from msgspec import structs

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.status_word import StatusWord, explain, phases_missing, status_word
from samples import energy, reading


def test_the_word_of_the_ms2020_generation_names_its_bits() -> None:
    word = explain(0x001C0104)
    assert word.generation == "ms2020"
    assert word.flags == ("above_start_current", "l1_present", "l2_present", "l3_present")
    assert "exporting" in explain(0x001C0904).flags


def test_the_word_of_the_edl_generation_tells_export_by_bit_5() -> None:
    assert explain(0x0182) == StatusWord("0x00000182", "edl", ())
    assert explain(0x01A2) == StatusWord("0x000001a2", "edl", ("exporting",))


@pytest.mark.parametrize(
    ("word", "missing"),
    [(0x1C0004, ()), (0x180004, ("L1",)), (0x040004, ("L2", "L3")), (0x000004, ()), (0x182, ())],
)
def test_phases_without_voltage_are_told_where_the_word_names_any(word: int, missing: tuple[str, ...]) -> None:
    maker = Register(Obis.parse("1-0:96.50.1*1"), b"ISK")
    assert phases_missing(reading(maker, structs.replace(energy(1), status=word))) == missing


def test_the_status_word_of_another_maker_means_other_things() -> None:
    assert status_word(reading(energy(1))) is None
