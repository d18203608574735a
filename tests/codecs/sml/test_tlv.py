import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.sml import tlv
from iskra_server.codecs.sml.tlv import Leaf, Node, Sequence

leaves: st.SearchStrategy[Node] = st.one_of(
    st.builds(tlv.octet_string, st.binary(max_size=300)),
    st.builds(tlv.Leaf, st.just(tlv.BOOLEAN), st.binary(min_size=1, max_size=1)),
    st.integers(1, 8).flatmap(
        lambda width: st.one_of(
            st.builds(tlv.unsigned, st.integers(0, 256**width - 1), st.just(width)),
            st.builds(tlv.integer, st.integers(-(256**width) // 2, 256**width // 2 - 1), st.just(width)),
        )
    ),
    st.just(tlv.END_OF_MESSAGE),
)
nodes = st.recursive(leaves, lambda items: st.builds(tlv.sequence, items, items, items), max_leaves=20)


@given(nodes)
def test_what_is_encoded_is_parsed(node: Node) -> None:
    data = tlv.encode(node)
    assert tlv.parse(data) == (node, len(data))
    assert tlv.size(node) == len(data)


@given(st.binary(max_size=80))
def test_what_is_parsed_is_encoded_byte_by_byte_and_nothing_else_is_raised(data: bytes) -> None:
    try:
        node, end = tlv.parse(data)
    except Malformed:
        return
    assert tlv.encode(node) == data[:end]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("62 e0", 0xE0),
        ("63 01 00", 256),
        ("64 01 00 00", 65536),
        ("52 ff", -1),
        ("54 80 00 00", -8388608),
        ("59 80 00 00 00 00 00 00 00", -(2**63)),
        ("69 ff ff ff ff ff ff ff ff", 2**64 - 1),
        ("42 00", False),
        ("42 7f", True),
        ("01", b""),
        ("80 03 41", b"A"),
    ],
)
def test_values_of_every_kind_and_width(data: str, value: object) -> None:
    raw = bytes.fromhex(data)
    node, _ = tlv.parse(raw)
    assert isinstance(node, Leaf)
    assert node.value == value


def test_the_length_counts_its_own_head_for_values_but_not_for_lists() -> None:
    key, _ = tlv.parse(bytes.fromhex("8302") + bytes(48))
    assert key == Leaf(tlv.BYTES, bytes(48), head=2)
    listed, _ = tlv.parse(bytes.fromhex("f105") + b"\x01" * 21)
    assert isinstance(listed, Sequence)
    assert (len(listed.items), listed.head) == (21, 2)


def test_an_unchecked_promise_of_2_to_the_28_elements_costs_nothing() -> None:
    data = bytes.fromhex("ff8f8f8f8f8f0f") + bytes(13)
    started = time.process_time()
    with pytest.raises(Malformed, match="bytes are left"):
        tlv.parse(data)
    # so many turns of a loop would take half a minute
    assert time.process_time() - started < 1


def test_nesting_is_bounded() -> None:
    with pytest.raises(Malformed, match="nested deeper"):
        tlv.parse(b"\x71" * 40 + b"\x01")


@pytest.mark.parametrize(
    "data", ["", "51", "60", "5a", "6a", "40", "43 00 00", "21 00", "80", "8f 8f 8f 8f 8f 8f 8f 8f 8f", "d0 13 00"]
)
def test_damage_is_malformed(data: str) -> None:
    raw = bytes.fromhex(data)
    with pytest.raises(Malformed):
        tlv.parse(raw + bytes(20) if raw and raw[0] & 0x80 == 0 else raw)
