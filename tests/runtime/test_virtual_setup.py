"""Virtual meters of a configuration: what is refused, where, and what to write instead."""

import pytest

from iskra_server.base.address import Address
from iskra_server.codecs.decoder import DECODERS
from iskra_server.config import Config, ConfigError, MeterConfig, VirtualConfig
from iskra_server.meter.guard import Guard
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.runtime.config_problems import config_problems
from iskra_server.runtime.plan import plan_of
from iskra_server.runtime.virtual_setup import located, sources_by_name, virtual_meters

Z1, Z2 = (MeterConfig(Address(f"tcp://head-{number}:2001"), f"Z{number}") for number in (1, 2))


def configured(*virtual: VirtualConfig) -> Config:
    return Config(meters=(Z1, Z2), virtual=virtual)


def test_parts_are_names_numbers_and_server_ids() -> None:
    (meter,) = virtual_meters(configured(VirtualConfig("Heat pump", "Z1, 1 ISK 00 70347617", "z2", 2.5)))
    parts = MeterPart("Z1", 1), MeterPart("1 ISK 00 70347617", 1), MeterPart("z2", -1)
    assert meter == VirtualMeter("Heat pump", parts, 2.5)
    assert not meter.is_sum


@pytest.mark.parametrize(
    ("virtual", "key", "sentence"),
    [
        (VirtualConfig("", "Z1"), "virtual.1.name", "virtual.1.name is missing; give the virtual meter a name"),
        (
            VirtualConfig(" Pump", "Z1"),
            "virtual.1.name",
            "it must have no slash, backslash or comma, and no space at its ends",
        ),
        (VirtualConfig("Pump/2", "Z1"), "virtual.1.name", "it must have no slash"),
        (VirtualConfig("Pump\\", "Z1"), "virtual.1.name", "it must have no slash"),
        (VirtualConfig("Pump, heat", "Z1"), "virtual.1.name", "it must have no slash"),
        (VirtualConfig("Z 1", "Z2"), "virtual.1.name", "'Z 1', as another meter is called; choose its own"),
        (VirtualConfig("Pump", "", "Z2"), "virtual.1.plus", "virtual.1.plus names no meter; list those that 'Pump'"),
        (VirtualConfig("Pump", "Z1", "Z9"), "virtual.1.minus", "'Z9', which is no meter: the names are Z1, Z2. Name"),
        (VirtualConfig("Pump", "Z1", "pump"), "virtual.1.minus", "virtual.1.minus names 'pump' itself; name the"),
        (VirtualConfig("Pump", "Z1", "z1"), "virtual.1", "virtual.1 names the meter 'Z1' twice; name each meter once"),
    ],
)
def test_a_mistake_is_named_with_its_place(virtual: VirtualConfig, key: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        virtual_meters(configured(virtual))
    assert sentence in str(caught.value)
    assert caught.value.key == key


def test_a_virtual_meter_of_a_virtual_one_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"virtual\.2\.plus names 'Both', which is a virtual meter too; name the"):
        plan_of(configured(VirtualConfig("Both", "Z1, Z2"), VirtualConfig("Rest", "Both", "Z2")))


def test_a_name_that_a_meter_has_is_told_before_the_parts_of_others() -> None:
    with pytest.raises(ConfigError, match=r"virtual\.2\.name is 'Z2', as another meter is called"):
        virtual_meters(configured(VirtualConfig("Pump", "Z1", "Z2"), VirtualConfig("Z2", "Z1")))


def test_a_name_that_two_meters_have_is_refused() -> None:
    twin = MeterConfig(Address("tcp://head-3:2001"), "Z1")
    with pytest.raises(ConfigError, match=r"'Z1', and 2 meters have this meters\.name"):
        virtual_meters(Config(meters=(Z1, Z2, twin), virtual=(VirtualConfig("Pump", "Z1"),)))


def test_a_mistake_is_told_beside_others() -> None:
    config = Config(
        meters=(Z1, MeterConfig(Address("nonsense://"), "Z2")), virtual=(VirtualConfig("Pump", "Z1", "Z3"),)
    )
    sentences = [str(problem) for problem in config_problems(config)]
    assert any("nonsense" in sentence for sentence in sentences)
    assert any("names 'Z3', which is no meter: the names are Z1, Z2" in sentence for sentence in sentences)


def test_a_part_is_what_its_source_reads() -> None:
    (meter,) = virtual_meters(configured(VirtualConfig("Pump", "Z1", "70347617")))
    plan = plan_of(configured())
    reader = Reader(source=plan.sources[0], decoder=DECODERS["sml"](), guard=Guard(), hub=Hub())
    by_name = sources_by_name(plan.config.meters)
    (before,) = located([meter], by_name, {plan.config.meters[0]: reader})
    assert before.parts == (MeterPart("Z1", 1, "", "tcp://head-1:2001"), MeterPart("70347617", -1))
    # without a reader, its address is where history may know it from
    assert located([meter], by_name, {}) == [before]
