"""Lists that name their values, and the scalers of those that name no scale."""

import pytest

import pushes
from iskra_server.codecs.dlms import axdr, encoder, lists
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.encoder import array, code, descriptor, octet_string, scale, structure, u1, u2, u4
from iskra_server.codecs.dlms.scales import Scales, kamstrup_energy, kind_of
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import Unit

VALUES = [Register(Obis.parse(obis), raw, scaler, Unit(unit)) for obis, raw, scaler, unit in pushes.VALUES]


def registers(body: Element, maker: str = "ISK") -> list[Register]:
    found = lists.find(body)
    pairs = lists.registers(found.items, maker or found.maker, Scales()) if found else []
    return [register for register, _ in pairs]


def numbers(body: Element, maker: str = "ISK") -> list[Register]:
    return [register for register in registers(body, maker) if register.value is not None]


@pytest.mark.parametrize("body", [pushes.tagged(), pushes.flat(), pushes.pairs(), pushes.described()])
def test_each_shape_says_the_same(body: Element) -> None:
    assert numbers(body) == VALUES


@pytest.mark.parametrize("body", [pushes.ljubljana(), pushes.kng(), pushes.unknown(), structure(), u4(1)])
def test_values_alone_are_no_such_list(body: Element) -> None:
    assert lists.find(body) is None


def test_the_name_of_a_list_makes_no_pairs() -> None:
    """KNG begins with a code, too: its values have none."""
    assert lists.find(structure(code("0-6:25.9.0"), octet_string(b"1120000000042"), u4(1), u4(2))) is None
    assert lists.find(structure(code("1.8.0"), u4(1))) is None


def test_a_flat_list_may_end_in_a_meter_number() -> None:
    found = lists.find(pushes.flat())
    assert found is not None and found.number == b"178000000042"
    # without scales it might be a value whose code is lost
    assert lists.find(structure(code("1.8.0"), u4(1), code("2.8.0"), u4(2), octet_string(b"12"))) is None
    assert lists.find(structure(code("1.8.0"), u4(1), code("2.8.0"), u4(2), code("1.7.0"))) is None


def test_a_clock_may_stand_before_tagged_values_and_a_number_behind() -> None:
    tagged = pushes.tagged().items
    found = lists.find(structure(*tagged, octet_string(b"178000000042")))
    assert found is not None and found.number == b"178000000042" and len(found.items) == len(tagged)
    assert numbers(structure(octet_string(pushes.CLOCK), *tagged)) == VALUES
    (clock, *_) = registers(structure(code("0-0:1.0.0"), octet_string(pushes.CLOCK), *tagged))
    assert clock == Register(Obis.parse("0-0:1.0.0"), pushes.CLOCK)


@pytest.mark.parametrize(
    "other",
    [
        u4(1),
        octet_string(b"12"),
        structure(code("1.8.0")),
        structure(u4(1), u4(2)),
        structure(code("1.8.0"), u4(1), u4(2)),
    ],
)
def test_a_list_with_something_else_between_is_unknown(other: Element) -> None:
    first, *rest = pushes.tagged().items
    assert lists.find(structure(first, other, *rest)) is None


def test_a_described_list_has_a_descriptor_for_each_element() -> None:
    rows, *values = pushes.described().items
    assert lists.find(structure(array(*rows.items[:-1]), *values)) is None
    assert lists.find(structure(array(*rows.items[:-1], u1(1)), *values)) is None
    with_limits = [structure(*row.items, structure(Element(axdr.ENUM, 0), u2(0))) for row in rows.items]
    assert numbers(structure(array(*with_limits), *values)) == VALUES


def test_a_described_list_may_carry_scalers() -> None:
    rows = (descriptor(40, "0-8:25.9.0"), descriptor(3, "1-0:32.7.0"), descriptor(3, "1-0:32.7.0", 3))
    body = structure(array(*rows), u4(230123), scale(-3, 35))
    assert registers(body) == [Register(Obis.parse("32.7.0"), 230123, -3, Unit(35))]


def test_other_attributes_and_classes_are_no_values() -> None:
    rows = (descriptor(40, "0-8:25.9.0"), descriptor(3, "1.8.0", 1), descriptor(3, "1.8.0", 4), descriptor(7, "1.8.0"))
    assert registers(structure(array(*rows), code("1.8.0"), u4(1), u4(2))) == []


def test_states_texts_and_missing_values_are_registers_without_a_scale() -> None:
    items: dict[str, tuple[Element, int | bytes | bool]] = {
        "0-0:96.3.10": (Element(axdr.BOOLEAN, True), True),
        "0-0:96.14.0": (octet_string(b"\0\2"), b"\0\2"),
        "1-1:0.0.1": (u4(34000009), 34000009),
        "0-0:96.5.4": (Element(axdr.ENUM, 3), 3),
        "1-0:1.8.0": (Element(axdr.NULL, None), b""),
    }
    body = structure(*(structure(code(obis), element) for obis, (element, _) in items.items()))
    assert registers(body) == [Register(Obis.parse(obis), raw) for obis, (_, raw) in items.items()]


def test_a_value_of_several_parts_is_none() -> None:
    assert registers(structure(structure(code("1.8.0"), array(u4(1))), structure(code("2.8.0"), u4(1)))) == [
        Register(Obis.parse("2.8.0"), 1, 0, Unit(30))
    ]


def test_the_past_keeps_its_own_code() -> None:
    before = structure(octet_string(bytes((1, 0, 1, 8, 0, 1))), u4(5), scale(0, 30))
    assert [register.obis.short for register in registers(structure(before))] == ["1-0:1.8.0*1"]


@pytest.mark.parametrize(
    ("maker", "obis", "raw", "scaler"),
    [
        ("ISK", "1.8.0", 5, 0),
        ("ISK", "32.7.0", 0, -1),
        ("ISK", "13.7.0", 999, -3),
        ("ISK", "14.7.0", 5001, -2),
        ("KFM", "31.7.0", 1500, -3),
        ("LGZ", "32.7.0", 231, 0),
        ("LGZ", "32.7.0", 2310, -1),
        ("LGZ", "32.7.0", 1270, -1),
        ("LGZ", "32.7.0", 0, 0),
        ("LGZ", "32.7.0", 231000, None),
        ("LGZ", "31.7.0", 105, -2),
        ("LGZ", "14.7.0", 50, None),
        ("", "13.7.0", 1, None),
        ("ISK", "0-0:17.0.0", 1, None),
        ("ISK", "31.4.0", 1, None),
    ],
)
def test_the_scale_of_a_number_that_came_without(maker: str, obis: str, raw: int, scaler: int | None) -> None:
    scale = Scales().of(Obis.parse(obis), raw, maker)
    assert (scale.scaler if scale else None) == scaler


def test_the_scale_of_voltages_stays() -> None:
    scales, voltage = Scales(), Obis.parse("32.7.0")
    found = [scales.of(voltage, raw, "LGZ") for raw in (0, 2310, 231, 0)]
    assert [scale.scaler if scale else None for scale in found] == [0, -1, -1, -1]


def test_norwegian_kamstrup_meters_count_10_wh() -> None:
    items = [
        (code("1-1:96.1.1"), octet_string(b"6841131BN243101040")),
        (code("1-1:1.8.0"), u4(7)),
        (code("1-1:33.7.0"), u2(95)),
    ]
    body = structure(Element(axdr.VISIBLE, b"Kamstrup_V0001"), *(element for item in items for element in item))
    assert [(each.raw, each.scaler) for each in numbers(body, "")] == [(7, 1), (95, -2)]
    assert kamstrup_energy(b"") == 0
    assert kamstrup_energy(b"6861111BN242101040") == 1
    assert kamstrup_energy(b"6841131BN245101092") == 0
    # of another type nobody knows
    assert kamstrup_energy(b"6841131BN243101099") is None


@pytest.mark.parametrize(
    ("obis", "unit"),
    [
        ("1.7.0", "W"),
        ("1-1:8.8.0", "varh"),
        ("61.7.0", "W"),
        ("63.7.0", "var"),
        ("24.8.0", "varh"),
        ("9.7.0", "VA"),
        ("29.8.0", "VAh"),
        ("91.7.0", "A"),
        ("56.7.0", "W"),
        ("16.7.0", "W"),
    ],
)
def test_what_a_code_measures(obis: str, unit: str) -> None:
    kind = kind_of(Obis.parse(obis))
    assert kind is not None and str(kind[1]) == unit


def test_encoded_descriptors_are_those_of_the_standard() -> None:
    assert encoder.element(descriptor(3, "1-0:1.8.0")).hex() == "020412000309060100010800ff0f02120000"
