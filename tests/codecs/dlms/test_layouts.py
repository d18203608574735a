"""Lists of values alone: which layout is theirs, and what is wrong with a file of layouts."""

from decimal import Decimal

import pytest

import pushes
from iskra_server.codecs.dlms import axdr, checks
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.checks import ListFacts
from iskra_server.codecs.dlms.encoder import array, octet_string, structure, u1, u2, u4
from iskra_server.codecs.dlms.layouts import Layout, LayoutError, Match, Memory, built_in, parse
from iskra_server.codecs.dlms.notification import CLOCK
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime, Register
from iskra_server.meter.units import Unit

OWN = """
[[layout]]
name = "my list"
elements = ["0-0:42.0.0 o", "skip u1", "1.8.0 u4 1", "2.8.0 u4", "skip a"]
source = "my meter"
"""


def read(body: Element, memory: Memory | None = None, title: bytes = b"", maker: str = "ISK") -> Match | None:
    time = MeterTime("timestamp", pushes.CLOCK_S)
    return (memory or Memory(built_in())).read(body, time=time, title=title, maker=maker)


def values(match: Match | None) -> dict[str, Decimal | bytes | bool | int]:
    assert match is not None
    return {each.obis.short: each.raw if each.value is None else each.value for each in match.registers}


def sample(layout: Layout, voltage: int = 2305) -> Element:
    """A list of this layout whose values agree with each other."""
    sums = {"1.8.0": 30, "1.8.1": 10, "1.8.2": 20, "2.8.0": 7, "2.8.1": 3, "2.8.2": 4}
    found: list[Element] = []
    for place in layout.places:
        tag = place.tags[0]
        short = place.obis.short.removeprefix("1-0:") if place.obis else ""
        if short == "0-0:42.0.0":
            value: int | bytes | bool | tuple[Element, ...] = pushes.NAME
        elif short == "0-0:1.0.0":
            value = pushes.CLOCK
        elif tag in axdr.INTEGERS:
            value = sums.get(short, voltage if short in ("32.7.0", "52.7.0", "72.7.0") else 0)
        elif tag == axdr.BOOLEAN:
            value = True
        else:
            value = (
                () if tag in axdr.COMPOUND else place.text or b"12345678"[: place.length if place.length >= 0 else 8]
            )
        found.append(Element(tag, value))
    return structure(*found)


@pytest.mark.parametrize("layout", built_in(), ids=lambda layout: layout.name)
def test_a_list_of_each_layout_is_read_by_this_one_alone(layout: Layout) -> None:
    maker = layout.makers[0] if layout.makers else "ISK"
    match = read(sample(layout), maker=maker)
    assert match is not None and match.layout == layout
    assert [register.obis for register in match.registers] == [place.obis for place in layout.places if place.obis]


def test_the_elements_are_those_of_the_list() -> None:
    assert (
        values(read(pushes.ljubljana()))
        == {
            "0-0:42.0.0": pushes.NAME,
            "1-0:1.7.0": 700,
            "1-0:2.7.0": 40,
            "1-0:3.7.0": 11,
            "1-0:4.7.0": 22,
            "1-0:32.7.0": Decimal("231.1"),
            "1-0:52.7.0": Decimal("232.2"),
            "1-0:72.7.0": Decimal("233.3"),
            "1-0:31.7.0": Decimal("2.26"),
            "1-0:51.7.0": Decimal("0.55"),
            "1-0:71.7.0": Decimal("0.37"),
            "1-0:21.7.0": 500,
            "1-0:41.7.0": 120,
            "1-0:61.7.0": 80,
            "1-0:22.7.0": 0,
            "1-0:42.7.0": 0,
            "1-0:62.7.0": 40,
        }
        or values(read(pushes.ljubljana()))["1-0:21.7.0"] == 500
    )


def test_units_come_with_the_codes() -> None:
    match = read(pushes.kng())
    assert match is not None
    units = {register.obis.short: register.unit for register in match.registers if register.unit}
    assert units["1-0:1.8.0"] == Unit(30) and units["1-0:4.8.0"] == Unit(32) and units["1-0:2.7.0"] == Unit(27)


@pytest.mark.parametrize(
    "body",
    [
        pushes.ljubljana(powers=(900, 40)),
        pushes.ljubljana(volts=3000),
        pushes.ljubljana(powers=(70_000, 0), phases=(70_000, 0, 0, 0, 0, 0)),
        structure(octet_string(b"someone else's"), *pushes.ljubljana().items[1:]),
        structure(*pushes.ljubljana().items[:-1]),
        structure(*pushes.ljubljana().items[:-1], u2(5)),
        pushes.unknown(),
    ],
)
def test_a_list_that_contradicts_its_layout_is_unknown(body: Element) -> None:
    assert read(body) is None


def test_another_maker_has_other_layouts() -> None:
    assert read(pushes.ljubljana(), maker="KFM") is None
    assert read(pushes.ljubljana(), maker="") is not None


def test_the_name_has_the_serial_number_of_the_system_title() -> None:
    assert read(pushes.ljubljana(), title=pushes.TITLE) is not None
    assert read(pushes.ljubljana(), title=bytes.fromhex("49534b6775f5e0fe")) is None


def test_of_two_layouts_that_fit_none_is_used() -> None:
    twice = (*built_in(), *parse(OWN.replace("my list", "other")), *parse(OWN))
    body = structure(octet_string(pushes.NAME), u1(7), u4(8), u4(9), array())
    assert read(body, Memory(twice)) is None
    assert read(body, Memory((*built_in(), *parse(OWN)))) is not None


def test_a_layout_of_ones_own_comes_first() -> None:
    memory = Memory((*parse(OWN, is_own=True), *built_in()))
    assert values(read(pushes.unknown(), memory)) == {"0-0:42.0.0": pushes.NAME, "1-0:1.8.0": 80, "1-0:2.8.0": 9}


def test_the_first_that_fits_stays_until_three_lists_contradict() -> None:
    memory, wrong = Memory(built_in()), pushes.ljubljana(powers=(900, 40))
    found = [read(body, memory) is not None for body in (pushes.ljubljana(), wrong, wrong, pushes.ljubljana())]
    assert found == [True] * 4
    assert [read(wrong, memory) is not None for _ in range(4)] == [True, True, False, False]
    assert read(pushes.ljubljana(), memory) is not None


def facts(time: MeterTime | None = None, title: bytes = b"", **numbers: int) -> ListFacts:
    """Numbers by code, as _1_8_0=5."""
    registers = (Register(Obis.parse(code[1:].replace("_", ".")), raw, 0) for code, raw in numbers.items())
    return ListFacts(registers, time, title)


@pytest.mark.parametrize("check", checks.CHECKS)
def test_a_check_passes_where_there_is_nothing_to_check(check: str) -> None:
    assert checks.CHECKS[check](facts())


def test_what_names_the_meter_is_text() -> None:
    def named(obis: str, raw: bytes) -> bool:
        register = Register(Obis.parse(obis), raw)
        return checks.name(ListFacts([register], None, b""))

    assert named("0-0:96.1.0", b"63300013") and named("0-0:42.0.0", pushes.NAME)
    assert (
        not named("0-0:96.1.0", b"633") and not named("0-0:96.1.0", b"\0" * 8) and not named("0-0:42.0.0", b"63300013")
    )


def test_tariffs_add_up_but_for_rounding() -> None:
    assert checks.tariffs(facts(_1_8_0=32, _1_8_1=10, _1_8_2=20))
    assert not checks.tariffs(facts(_1_8_0=33, _1_8_1=10, _1_8_2=20))
    assert not checks.tariffs(facts(_2_8_0=0, _2_8_1=0, _2_8_2=9))
    assert checks.tariffs(facts(_1_8_0=33, _1_8_1=10))


def test_phases_add_up_to_the_total() -> None:
    assert checks.phases(facts(_1_7_0=103, _2_7_0=50, _21_7_0=100, _42_7_0=50))
    assert not checks.phases(facts(_1_7_0=104, _2_7_0=50, _21_7_0=100, _42_7_0=50))


@pytest.mark.parametrize(
    ("volts", "passes"), [(0, True), (127, True), (230, True), (160, False), (281, False), (23, False)]
)
def test_voltages_are_those_of_the_mains(volts: int, passes: bool) -> None:
    assert checks.voltages(facts(_32_7_0=230, _52_7_0=volts)) is passes


def test_current_and_voltage_make_the_power_of_a_phase() -> None:
    assert checks.currents(facts(_21_7_0=1300, _32_7_0=230, _31_7_0=2))
    assert not checks.currents(facts(_21_7_0=1400, _32_7_0=230, _31_7_0=2))
    assert not checks.currents(facts(_22_7_0=1400, _32_7_0=230, _31_7_0=2))
    assert checks.currents(facts(_21_7_0=1400, _32_7_0=230, _31_7_0=0))


def test_power_is_what_a_connection_carries() -> None:
    assert checks.power(facts(_1_7_0=69_000))
    assert not checks.power(facts(_1_7_0=69_001))
    assert not checks.power(facts(_2_7_0=69_001))


@pytest.mark.parametrize(("seconds", "passes"), [(0, True), (2, True), (3, False), (-3, False)])
def test_the_clock_in_the_list_is_that_of_the_telegram(seconds: int, passes: bool) -> None:
    clock = [Register(CLOCK, pushes.CLOCK)]
    assert checks.clock(ListFacts(clock, MeterTime("timestamp", pushes.CLOCK_S + seconds), b"")) is passes
    assert checks.clock(ListFacts(clock, None, b""))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("[[layout]]", "[layout"), "is not TOML"),
        (("[[layout]]", "[other]"), "has no \\[\\[layout\\]\\] or something else beside it: other"),
        (('name = "my list"', ""), "layout 1: it needs name, elements, source and may have checks, makers, operator"),
        (('source = "my meter"', "maker = 1"), "layout 1: it needs name"),
        (('"my list"', "5"), "layout 1 \\(5\\): name has 5, expected a text"),
        (('source = "my meter"', 'source = "x"\nchecks = ["all"]'), "'all' is no check; there are tariffs, phases"),
        (('source = "my meter"', 'source = "x"\nmakers = "ISK"'), "makers is 'ISK', expected a list"),
        (("1.8.0 u4 1", "1.8.0 u5"), "layout 1 \\(my list\\), element 3: 'u5' is no type; there are o, u1"),
        (("1.8.0 u4 1", "total u4"), "element 3: 'total' is not an OBIS code; .* or one of list-name, number, skip"),
        (("1.8.0 u4 1", "1.8.0 u4 x"), "element 3: 'x' is no scaler; -1 means that the number counts tenths"),
        (("1.8.0 u4 1", "1.8.0"), "element 3: '' is no type"),
    ],
)
def test_a_mistake_in_a_file_of_layouts_is_named(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(LayoutError, match=sentence):
        parse(OWN.replace(*change))


def test_every_form_of_an_element() -> None:
    text = OWN.replace("0-0:42.0.0 o", "number o3").replace("skip u1", "list-name o =UP_3f").replace('"2.8.0 u4", ', "")
    (layout,) = parse(text.replace("1.8.0 u4 1", "1.8.0 u2/u4"))
    memory = Memory((layout,))

    def listed(number: bytes, text: bytes, value: Element) -> Match | None:
        return read(structure(octet_string(number), octet_string(text), value, array(u2(1))), memory)

    for value in (u2(5), u4(5)):
        match = listed(b"123", b"UP_3f", value)
        assert match is not None and match.number == b"123" and values(match) == {"1-0:1.8.0": 5}
    assert listed(b"123", b"UP_4f", u4(5)) is None
    assert listed(b"1234", b"UP_3f", u4(5)) is None
    assert listed(b"123", b"UP_3f", u1(5)) is None
