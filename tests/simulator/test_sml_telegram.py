"""The simulated telegrams are held against real ones, field by field, where those are at hand."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from iskra_server.codecs.checksum import checksum
from iskra_server.codecs.sml import tlv
from iskra_server.codecs.sml.tlv import Leaf, Node, Sequence
from iskra_server.meter.obis import Obis
from iskra_server.simulator.household import KWH, TENTH_WH, State
from iskra_server.simulator.sml_layouts import LAYOUTS
from iskra_server.simulator.sml_telegram import Plate, plate, telegram

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "sml"
needs_captures = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the captured telegrams are not beside the repository (../shared/captures)"
)
# profile -> captures of that model
REAL = {
    "MT175-locked": ["ISKRA_MT175_no-PIN_pazifical"],
    "MT175-one-way": [
        "ISKRA_MT175_PIN_log-excerpt_pazifical",
        "ISKRA_MT175_PIN_pazifical",
        "ISKRA_MT175_eHZ_libsml-testing",
        "ISKRA_EDL21-3phase_openems",
        "ISKRA_EDL21-two-tariff_vzpm",
        "ISKRA_EDL21_issue28-1_smllib",
    ],
    "MT175": ["ISKRA_EDL21-3phase_anonymised_pysmartmeter"],
    "MT681": ["ISKRA_EDL21_frame-only1_smllib"],
    "MT631-locked": ["ISKRA_MT631-D1A52-K0z-H01_without_PIN_libsml-testing"],
    "MT631-one-way": ["ISKRA_MT631-D2A51-V22-K0z_with_PIN_libsml-testing"],
    "MT631-two-way": ["ISKRA_MT631-D1A52-K0z-H01_with_PIN_libsml-testing", "ISKRA_MT631_pymeterreader"],
    "MT691": ["ISKRA_mME_frame1_sml2mqtt", "ISKRA_mME_frame-only3_smllib", "ISKRA_mME_frame-only4_smllib"],
}
# the simulated MT175 has one tariff, and that of a real meter counts another pair
SHAPE_ALONE = {"ISKRA_EDL21-two-tariff_vzpm"}
PUBLIC_KEY = Obis.parse("129-129:199.130.5")


def real_telegrams(name: str) -> list[bytes]:
    data = (CAPTURES / f"{name}.bin").read_bytes()
    frames = json.loads((CAPTURES / f"{name}.json").read_text())["frames"]
    return [data[frame["start"] : frame["end"]] for frame in frames if frame["state"] == "complete"]


def messages(data: bytes) -> list[Sequence]:
    """The messages of a payload, as far as it is whole."""
    found = []
    at = 0
    while at < len(data) and data[at] >> 4 == 7:
        node, at = tlv.parse(data, at)
        assert isinstance(node, Sequence)
        found.append(node)
    return found


def leaves(node: Node) -> Iterator[tuple[int, Leaf]]:
    """(number of fields of the list around, leaf) in order: enough to tell two layouts apart."""
    if isinstance(node, Leaf):
        yield 0, node
        return
    for item in node.items:
        for depth, leaf in leaves(item):
            yield depth * 32 + len(node.items), leaf


def shape(messages: list[Sequence]) -> list[tuple[int, int, int, int]]:
    return [
        (around, leaf.kind, leaf.head, len(leaf.payload)) for message in messages for around, leaf in leaves(message)
    ]


def body(message: Sequence) -> Sequence:
    inner = message.items[3]
    assert isinstance(inner, Sequence) and isinstance(inner.items[1], Sequence)
    return inner.items[1]


def entries(messages: list[Sequence]) -> list[Sequence]:
    values = body(messages[1]).items[4]
    assert isinstance(values, Sequence)
    return [entry for entry in values.items if isinstance(entry, Sequence)]


def leaf(node: Node) -> Leaf:
    assert isinstance(node, Leaf)
    return node


def code(entry: Sequence) -> Obis:
    return Obis(leaf(entry.items[0]).payload)


def number(node: Node) -> int:
    value = leaf(node).value
    assert isinstance(value, int)
    return value


def bytes_of(node: Node) -> bytes:
    return leaf(node).payload


def same_moment(name: str, real: list[Sequence]) -> bytes:
    """What the profile sends with the identity, the clock and the values of a real telegram."""
    value = {code(entry).short: entry.items[5] for entry in entries(real)}
    is_locked = number(entries(real)[2].items[4]) == 3
    tenths = {key.removeprefix("1-0:"): number(leaf) for key, leaf in value.items() if ".8." in key}
    tenths = {key: tenth * (10_000 if is_locked else 1) for key, tenth in tenths.items()}
    total = number(value["1-0:16.7.0"]) if "1-0:16.7.0" in value else 0
    l1, l2, l3 = (
        number(value[key]) if (key := f"1-0:{quantity}.7.0") in value else default
        for quantity, default in ((36, total), (56, 0), (76, 0))
    )
    state = State(
        0,
        (l1 * 1000, l2 * 1000, l3 * 1000),
        tenths["1.8.0"] * TENTH_WH,
        tenths.get("2.8.0", 0) * TENTH_WH,
        tenths.get("1.8.2", 0),
    )
    time = body(real[1]).items[3]
    assert isinstance(time, Sequence)
    own = Plate(bytes_of(body(real[0]).items[3]), bytes_of(value.get("129-129:199.130.5", tlv.ABSENT)))
    count = int.from_bytes(bytes_of(body(real[0]).items[2]))
    return telegram(LAYOUTS[name], own, state, number(time.items[1]), count)


@needs_captures
@pytest.mark.parametrize(("name", "capture"), [(name, capture) for name in REAL for capture in REAL[name]])
def test_types_widths_order_and_padding_are_those_of_the_real_meter(name: str, capture: str) -> None:
    for data in real_telegrams(capture):
        real = messages(data[8:-8])
        made = same_moment(name, real)
        assert shape(messages(made[8:-8])) == shape(real)
        assert (len(made), made[:8], made[-8:-2]) == (len(data), data[:8], data[-8:-2])


@needs_captures
@pytest.mark.parametrize(
    ("name", "capture"), [(name, capture) for name in REAL for capture in REAL[name] if capture not in SHAPE_ALONE]
)
def test_values_codes_units_scalers_and_times_are_those_of_the_real_meter(name: str, capture: str) -> None:
    for data in real_telegrams(capture):
        real = messages(data[8:-8])
        made = messages(same_moment(name, real)[8:-8])
        assert [body(message).items[:4] for message in made] == [body(message).items[:4] for message in real]
        for ours, theirs in zip(entries(made), entries(real), strict=True):
            # the shown total is rounded apart from the phases, and the status word has bits that nobody knows
            free = {1, 5} if code(theirs).short == "1-0:16.7.0" else {1}
            assert [field for place, field in enumerate(ours.items) if place not in free] == [
                field for place, field in enumerate(theirs.items) if place not in free
            ]


@needs_captures
def test_message_numbers_run_on_as_those_of_a_real_meter() -> None:
    for name, capture in (
        ("MT175-one-way", "ISKRA_MT175_PIN_pazifical"),
        ("MT631-two-way", "ISKRA_MT631-D1A52-K0z-H01_with_PIN_libsml-testing"),
    ):
        for data in real_telegrams(capture):
            real = messages(data[8:-8])
            made = messages(same_moment(name, real)[8:-8])
            assert [message.items[0] for message in made] == [message.items[0] for message in real]


@needs_captures
def test_an_old_meter_sends_15_7_0_as_the_profile_of_2012_does() -> None:
    data = (CAPTURES / "ISKRA_old-eHZ_15.7.0_truncated-end_openhabscript.bin").read_bytes()
    start = data.index(bytes.fromhex("1b1b1b1b01010101")) + 8
    real = entries(messages(data[start : data.rindex(bytes.fromhex("1b1b1b1b1a"))]))
    sent = {code(entry) for entry in real}
    ours = [entry for entry in entries(messages(sample("MT681-2012")[8:-8])) if code(entry) in sent]
    assert [code(entry) for entry in ours] == [code(entry) for entry in real]
    assert [shape([entry]) for entry in ours] == [shape([entry]) for entry in real]


def sample(name: str, import_mws: int = 20_000 * KWH, power_mw: int = 1_500_000) -> bytes:
    state = State(0, (power_mw, 10_000, 20_000), import_mws, 3 * KWH, 0)
    layout = LAYOUTS[name]
    return telegram(layout, plate(layout, 10_000_001), state, 100_000_000, 40_000_000)


@pytest.mark.parametrize(("name", "length"), [("MT175-locked", 304), ("MT175-one-way", 384), ("MT175", 456)])
def test_edl_telegrams_have_the_length_of_their_model(name: str, length: int) -> None:
    assert len(sample(name)) == len(sample(name, import_mws=0, power_mw=-1)) == length


@pytest.mark.parametrize("name", LAYOUTS)
def test_both_kinds_of_checksum_are_right(name: str) -> None:
    data = sample(name)
    assert checksum(data[:-2]) == data[-2:]
    for message in messages(data[8:-8]):
        without = b"".join((tlv.encode(message)[:1], *map(tlv.encode, message.items[:4])))
        assert bytes_of(message.items[4]) == checksum(without)


@pytest.mark.parametrize(
    ("watt", "field"),
    [(0, "5200"), (127, "527f"), (128, "530080"), (-128, "5280"), (-129, "53ff7f"), (40_000, "5500009c40")],
)
def test_ms2020_powers_take_the_shortest_signed_width(watt: int, field: str) -> None:
    data = sample("MT631-two-way", power_mw=watt * 1000 - 30_000)
    assert tlv.encode(entries(messages(data[8:-8]))[-1].items[5]).hex() == field


@pytest.mark.parametrize(
    ("tenths", "field"), [(0, "6200"), (255, "62ff"), (256, "630100"), (65_536, "6500010000"), (2**32, "69")]
)
def test_ms2020_counters_take_the_shortest_unsigned_width(tenths: int, field: str) -> None:
    data = sample("MT631-two-way", import_mws=tenths * TENTH_WH)
    assert tlv.encode(entries(messages(data[8:-8]))[2].items[5]).hex().startswith(field)


def test_serial_numbers_are_different_meters_with_keys_of_their_own() -> None:
    plates = [plate(LAYOUTS["MT175"], serial) for serial in range(10_000_001, 10_000_050)]
    assert plates[0].server_id.hex() == "090149534b00" + f"{10_000_001:08x}"
    assert len({own.server_id for own in plates}) == len({own.key for own in plates}) == 49
    assert {len(own.key) for own in plates} == {48}
    assert plate(LAYOUTS["MT691"], 1).server_id[0] == 0x0A


def test_only_edl_meters_send_a_key() -> None:
    with_key = {name for name in LAYOUTS if PUBLIC_KEY in map(code, entries(messages(sample(name)[8:-8])))}
    assert with_key == {"MT175-locked", "MT175-one-way", "MT175", "MT681", "MT681-2012"}


def test_counts_wrap_like_the_four_bytes_they_are() -> None:
    layout = LAYOUTS["MT175"]
    state = State(0, (0, 0, 0), 0, 0, 0)
    sent = [telegram(layout, plate(layout, 1), state, 5, count) for count in (2**32 - 1, 2**32, 2**32 + 1)]
    ids = [int.from_bytes(bytes_of(body(messages(data[8:-8])[0]).items[2])) for data in sent]
    assert ids == [2**32 - 1, 0, 1]
    numbers = [int.from_bytes(bytes_of(message.items[0])) for data in sent for message in messages(data[8:-8])]
    assert all((after - before) % 2**32 == 1 for before, after in pairwise(numbers))
