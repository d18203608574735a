"""The fast path says what the long way says."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pushes
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.dlms.encoder import array, code, octet_string, structure, u4
from iskra_server.codecs.dlms.fast_path import MAX_FORMS, Forms
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, Reading
from trying import tries

SHAPES = {"tagged": pushes.tagged, "flat": pushes.flat, "pairs": pushes.pairs, "described": pushes.described}
LATER = bytes.fromhex("07ea0a1906020f1e00ffc400")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each telegram whether the fast path has read it."""
    found: list[bool] = []
    read = Forms.read

    def watched(forms: Forms, apdu: bytes, title: bytes) -> object:
        said = read(forms, apdu, title)
        found.append(said is not None)
        return said

    monkeypatch.setattr(Forms, "read", watched)
    return found


def after(first: bytes, second: bytes) -> list[Reading | Fault]:
    """What a decoder that has seen the first telegram makes of the second."""
    decoder = DlmsDecoder()
    list(decoder.feed(encoder.hdlc(first)))
    return list(decoder.feed(encoder.hdlc(second)))


def alone(apdu: bytes) -> list[Reading | Fault]:
    return list(DlmsDecoder().feed(encoder.hdlc(apdu)))


def the_long_way(first: bytes, second: bytes) -> list[Reading | Fault]:
    """As `after`, without a form that was remembered."""
    decoder = DlmsDecoder()
    list(decoder.feed(encoder.hdlc(first)))
    decoder._forms = Forms()  # noqa: SLF001
    return list(decoder.feed(encoder.hdlc(second)))


def changed(raws: Sequence[int]) -> list[tuple[str, int, int, int]]:
    return [(obis, raw, scaler, unit) for (obis, _, scaler, unit), raw in zip(pushes.VALUES, raws, strict=True)]


@pytest.mark.parametrize("name", SHAPES)
def test_other_numbers_and_times_take_the_fast_path(name: str, reads: list[bool]) -> None:
    make, other = SHAPES[name], changed([7, 8, 9, 10, 2301, 2302, 2303, 1, 2, 3])
    second = encoder.notification(make(other), LATER, invoke_id=99)
    assert after(pushes.apdu(make()), second) == alone(second)
    assert reads == [False, True, False]


@tries()
@given(st.sampled_from(sorted(SHAPES)), st.lists(st.integers(0, 65535), min_size=10, max_size=10), st.booleans())
def test_any_numbers_are_read_alike(name: str, raws: list[int], has_time: bool) -> None:
    clock, body = pushes.CLOCK if has_time else b"", SHAPES[name](changed(raws))
    first, second = pushes.apdu(SHAPES[name](), clock), pushes.apdu(body, clock)
    assert after(first, second) == the_long_way(first, second)


@tries()
@given(st.sampled_from(sorted(SHAPES)), st.integers(0, 10**4), st.integers(1, 255))
def test_a_telegram_with_one_other_byte_is_read_alike(name: str, at: int, difference: int) -> None:
    first = pushes.apdu(SHAPES[name]())
    second = bytearray(first)
    second[at % len(second)] ^= difference
    assert after(first, bytes(second)) == the_long_way(first, bytes(second))


def test_lists_that_come_in_turn_are_both_remembered(reads: list[bool]) -> None:
    stream = b"".join(encoder.hdlc(pushes.apdu(body)) for body in (pushes.kng(), pushes.ljubljana()) * 3)
    assert len(pushes.readings(stream)) == 6
    assert reads == [False, False] + [True] * 4


def test_the_checks_of_a_layout_are_made_each_time(reads: list[bool]) -> None:
    good, wrong = pushes.apdu(pushes.ljubljana()), pushes.apdu(pushes.ljubljana(powers=(900, 40)))
    decoder = DlmsDecoder()
    found = [
        [each.kind if isinstance(each, Fault) else "" for each in decoder.feed(encoder.hdlc(apdu))]
        for apdu in (good, wrong, wrong, wrong, wrong, good)
    ]
    assert found == [[""], [""], [""], ["layout"], ["layout"], [""]]
    assert reads == [False, True, True, True, False, False]


def test_what_names_the_meter_is_never_taken_from_before() -> None:
    def named(number: int) -> Element:
        return structure(code("1-1:0.0.1"), u4(number), code("1.8.0"), u4(5))

    (reading,) = after(pushes.apdu(named(34000009)), pushes.apdu(named(34000010)))
    assert isinstance(reading, Reading) and reading.meter_id == "34000010"


def test_a_voltage_whose_scaler_is_not_settled_is_not_remembered() -> None:
    def listed(volts: int) -> bytes:
        return pushes.apdu(structure(code("1.8.0"), u4(5), code("32.7.0"), encoder.u2(volts)))

    decoder = DlmsDecoder()
    values = []
    for volts in (0, 2310, 0, 2320):
        (reading,) = decoder.feed(encoder.hdlc(listed(volts)))
        assert isinstance(reading, Reading)
        register = reading.get(Obis.parse("32.7.0"))
        values.append(str(register.value) if register else "")
    assert values == ["0", "231.0", "0.0", "232.0"]


def test_a_list_with_lengths_of_unusual_form_is_read_the_long_way(reads: list[bool]) -> None:
    body = encoder.element(pushes.tagged())
    apdu = pushes.apdu(pushes.tagged())
    unusual = apdu[: -len(body)] + body[:1] + b"\x81" + body[1:]
    stream = encoder.hdlc(unusual) * 2
    assert [each.registers for each in pushes.readings(stream)] == [alone(apdu)[0].registers] * 2  # type: ignore[union-attr]
    assert not any(reads)


def test_few_forms_are_remembered(reads: list[bool]) -> None:
    decoder = DlmsDecoder()
    for length in range(3 * MAX_FORMS):
        body = structure(*pushes.tagged().items, structure(code("0-0:96.13.0"), octet_string(bytes(length))))
        assert len(list(decoder.feed(encoder.hdlc(pushes.apdu(body))))) == 1
    assert len(decoder._forms._by_key) <= MAX_FORMS  # noqa: SLF001
    assert not any(reads)


def test_a_list_in_a_list_has_its_places() -> None:
    body = structure(*pushes.tagged().items, structure(code("0-0:96.5.1"), array(u4(1), u4(2))))
    second = structure(*pushes.tagged(changed(range(10))).items, structure(code("0-0:96.5.1"), array(u4(1), u4(2))))
    assert after(pushes.apdu(body), pushes.apdu(second)) == alone(pushes.apdu(second))
