from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.dlms import axdr, encoder
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.errors import Malformed
from trying import tries


def _number(tag: int) -> st.SearchStrategy[Element]:
    width, signed = axdr.INTEGERS[tag]
    low, high = (-(1 << 8 * width - 1), (1 << 8 * width - 1) - 1) if signed else (0, (1 << 8 * width) - 1)
    return st.builds(Element, st.just(tag), st.integers(low, high))


leaves = st.one_of(
    st.sampled_from(sorted(axdr.INTEGERS)).flatmap(_number),
    st.builds(Element, st.sampled_from(sorted(axdr.TEXTS)), st.binary(max_size=300)),
    st.builds(Element, st.just(axdr.BITS), st.binary(max_size=9)),
    st.builds(Element, st.just(axdr.BOOLEAN), st.booleans()),
    st.sampled_from(sorted(axdr.RAW)).flatmap(
        lambda tag: st.builds(Element, st.just(tag), st.binary(min_size=axdr.RAW[tag], max_size=axdr.RAW[tag]))
    ),
    st.just(Element(axdr.NULL, None)),
)
elements = st.recursive(
    leaves,
    lambda inner: st.builds(Element, st.sampled_from(sorted(axdr.COMPOUND)), st.lists(inner, max_size=6).map(tuple)),
    max_leaves=20,
)


def depth(element: Element) -> int:
    return 1 + max(map(depth, element.items), default=0)


@tries()
@given(elements.filter(lambda element: depth(element) <= axdr.MAX_DEPTH))
def test_an_element_is_read_as_it_was_written(element: Element) -> None:
    assert axdr.parse(encoder.element(element)) == element


@tries()
@given(elements.filter(lambda element: depth(element) <= axdr.MAX_DEPTH), st.integers(1, 9), st.binary(max_size=9))
def test_the_end_is_found_while_the_bytes_arrive(element: Element, chunk: int, behind: bytes) -> None:
    data, extent, arrived = encoder.element(element), axdr.Extent(0), bytearray()
    for at in range(0, len(data), chunk):
        assert extent.end(arrived) is None
        arrived += data[at : at + chunk]
    assert extent.end(arrived + behind) == len(data)


@tries()
@given(st.one_of(st.binary(max_size=200), elements.map(encoder.element)), st.integers(0, 200), st.binary(max_size=3))
def test_any_bytes_are_an_element_or_malformed(data: bytes, at: int, piece: bytes) -> None:
    damaged = data[:at] + piece + data[at + len(piece) :]
    with suppress(Malformed):
        assert encoder.element(axdr.parse(damaged))
    with suppress(Malformed):
        axdr.Extent(0).end(damaged)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("0203110111", "the list is cut off"),
        ("110100", "the list ends at byte 2 of 3"),
        ("07", "unknown type 0x07 at byte 0"),
        ("0109", "list at byte 0 claims 9 elements, 0 bytes are left"),
        ("090541", "value at byte 2 claims 5 bytes, 1 are left"),
        ("0983010000", "length of 3 bytes at byte 1, expected at most 2"),
        ("0180", "length of 0 bytes at byte 1, expected at most 2"),
        ("0981", "the list is cut off"),
        ("", "the list is cut off"),
        ("0201" * 9 + "00", "more than 8 levels or 512 elements at byte 16"),
        ("01820201" + "00" * 513, "more than 8 levels or 512 elements at byte 0"),
    ],
)
def test_what_is_malformed_is_named(data: str, sentence: str) -> None:
    with pytest.raises(Malformed, match=f"^{sentence}$"):
        axdr.parse(bytes.fromhex(data))


def test_a_long_length_has_two_bytes() -> None:
    assert axdr.parse(bytes.fromhex("09820003414243")).data == b"ABC"
    assert axdr.read_length(b"\x81\x80", 0) == (0x80, 2)
    with pytest.raises(Malformed):
        axdr.read_length(b"\x82\x01", 0)
