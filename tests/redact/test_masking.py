"""Masked telegrams of every protocol decode to the same numbers, and name nobody in any form."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pushes
import telegrams
import texts
from iskra_server.codecs.d0 import encoder as d0
from iskra_server.codecs.decoder import DECODERS
from iskra_server.codecs.dlms import encoder, identity
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.encoder import code, octet_string, structure, u4
from iskra_server.codecs.p1 import encoder as p1
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity
from iskra_server.meter.identity import din_identity
from iskra_server.meter.reading import Fault, Reading, Register
from iskra_server.redact.masking import Masking, protocol_of
from iskra_server.redact.pseudonyms import Pseudonyms
from trying import tries

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
OWNER, EAN, MESSAGE = "Maier, Gartenweg 17", "541448820043215678", "Hello Mrs Maier"
# 1.7.0, 2.7.0 and the other values of lists
POWER = structure(code("1-0:1.7.0"), u4(321), encoder.scale(0, 27))


def masked(data: bytes, size: int | None = None) -> bytes:
    masking = Masking()
    parts = [masking.feed(part) for part in telegrams.chunks(data, size or len(data) or 1)]
    return b"".join((*parts, masking.end()))


def results(protocol: str, data: bytes) -> list[Reading | Fault]:
    return list(DECODERS[protocol]().feed(data))


def numbers(items: list[Reading | Fault]) -> list[tuple[list[Register], object]]:
    """What was measured and when; a meter number that is sent as a number is an identity."""
    return [
        ([register for register in item.numbers() if register.obis not in identity.CODES], item.meter_time)
        for item in items
        if isinstance(item, Reading)
    ]


def sml_stream(serial: str) -> bytes:
    server_id = din_identity("1", "ISK", "00", int(serial)).server_id
    return telegrams.telegram(server_id=server_id) * 2


def p1_stream(serial: str) -> bytes:
    lines = texts.p1_lines()
    lines[2] = f"0-0:96.1.1({texts.hex_text('1ISK00' + serial)})"
    lines += [f"0-0:42.0.0(ISK10307{serial})", f"0-0:96.1.2({EAN})", f"0-0:96.13.0({texts.hex_text(MESSAGE)})"]
    lines += [f"0-0:96.13.1({texts.hex_text(serial)})", OWNER]
    return p1.telegram(rf"ISK5\2M550T-{serial}", lines) * 2


def p1_old_stream(serial: str) -> bytes:
    """Without a checksum, in 7E1."""
    lines = [*texts.p1_lines()[3:], f"0-0:96.1.0({serial})"]
    return with_parity(p1.without_checksum("ISk5\\2MT382-1004", lines)) * 2


def d0_stream(serial: str) -> bytes:
    lines = [line.replace(texts.D0_SERIAL, serial) for line in texts.d0_lines()]
    return texts.d0_readout([*lines, f"0-0:0.0.2({OWNER})", f"9.9.9({serial})"]) * 2


def d0_push_stream(serial: str) -> bytes:
    lines = [line.replace(texts.D0_SERIAL, serial) for line in texts.d0_lines()]
    return with_parity(d0.pushed(texts.D0_IDENT, lines)) * 2


def dlms_body(serial: str) -> Element:
    named = [structure(code("0-0:42.0.0"), octet_string(f"ISK10307{serial}".encode()))]
    named += [structure(code("0-0:96.1.0"), octet_string(f"1ISK00{serial}".encode()))]
    named += [structure(code("0-0:96.1.1"), u4(int(serial)), encoder.scale(0, 255))]
    named += [structure(code("0-0:96.13.0"), octet_string(OWNER.encode())), POWER]
    return structure(*named, *pushes.tagged().items[1:])


def hdlc_stream(serial: str) -> bytes:
    address = b"\x02\x24" + bytes(((int(serial) % 128) * 2 & 0xFE, (int(serial) % 128) * 2 | 1))
    return encoder.hdlc(pushes.apdu(dlms_body(serial)), segment=60, addresses=b"\xcf" + address, shares_flags=True) * 2


def block_stream(serial: str) -> bytes:
    blocks = list(encoder.blocks(pushes.apdu(dlms_body(serial)), 100))
    return b"".join(encoder.hdlc(block) for block in blocks) * 2


def mbus_stream(serial: str) -> bytes:
    return encoder.mbus(pushes.apdu(dlms_body(serial)), size=90) * 2


def bare_stream(serial: str) -> bytes:
    return pushes.apdu(dlms_body(serial)) * 3


def sealed_stream(serial: str) -> bytes:
    title = b"ISKg" + (0x70000000 | int(serial)).to_bytes(4)
    return encoder.hdlc(encoder.seal(pushes.apdu(dlms_body(serial)), title, 100, pushes.KEYS))


def unknown_stream(serial: str) -> bytes:
    """A list that nothing describes, with the serial number as text, number and BCD."""
    elements = (octet_string(f"ISK10307{serial}".encode()), u4(int(serial)), octet_string(bytes.fromhex(serial)))
    return encoder.hdlc(pushes.apdu(structure(*elements, *pushes.unknown().items[1:])))


STREAMS: dict[str, Callable[[str], bytes]] = {
    stream.__name__.removesuffix("_stream"): stream
    for stream in (
        *(sml_stream, p1_stream, p1_old_stream, d0_stream, d0_push_stream),
        *(hdlc_stream, block_stream, mbus_stream, bare_stream, sealed_stream, unknown_stream),
    )
}
TEXT = ("p1", "p1_old", "d0", "d0_push")


def forms(serial: str) -> Iterator[bytes]:
    """A serial number as digits, hex of them, BCD and binary, each also backwards."""
    for digits in (serial, serial[::-1]):
        yield from (digits.encode(), digits.encode().hex().encode(), digits.encode().hex().upper().encode())
    number = int(serial)
    yield from (f"{number:08x}".encode(), f"{number:08X}".encode())


def binary_forms(serial: str) -> Iterator[bytes]:
    number = int(serial).to_bytes(4)
    yield from (number, number[::-1], bytes.fromhex(serial), bytes.fromhex(serial)[::-1])


# a smaller number is also in counters by chance
serials = st.integers(12_345_678, 99_999_999).map(str).filter(lambda serial: len(set(serial)) > 3)


@pytest.mark.parametrize("name", STREAMS)
def test_no_form_of_a_serial_number_is_left(name: str) -> None:
    @tries(0.1)
    @given(serials)
    def check(serial: str) -> None:
        stream = STREAMS[name](serial)
        output = masked(stream)
        text = output.translate(SEVEN_BITS) if name in TEXT else output
        leaks = [form for form in forms(serial) if form in text]
        if name not in TEXT:
            leaks += [form for form in binary_forms(serial) if form in output]
        assert leaks == []
        assert b"Maier" not in text and b"Gartenweg" not in text
        assert texts.hex_text("Maier").encode() not in text and EAN.encode() not in text

    check()


@pytest.mark.parametrize("size", [1, 50, None])
@pytest.mark.parametrize("name", STREAMS)
def test_a_masked_stream_decodes_to_the_same_numbers_of_another_meter(name: str, size: int | None) -> None:
    stream = STREAMS[name]("70347617")
    protocol = protocol_of(stream)
    output = masked(stream, size)
    before, after = results(protocol, stream), results(protocol, output)
    assert len(output) == len(stream)
    assert numbers(before) == numbers(after)
    assert [type(item) for item in before] == [type(item) for item in after]
    assert [item.kind for item in after if isinstance(item, Fault)] == [
        item.kind for item in before if isinstance(item, Fault)
    ]
    assert {item.meter_id for item in before}.isdisjoint(item.meter_id for item in after)
    assert all(item.meter_id for item in after)


def test_one_meter_has_one_pseudonym_on_every_interface() -> None:
    pseudonyms = Pseudonyms()
    meters: set[str] = set()
    for stream in (stream("70347617") for stream in STREAMS.values()):
        masking = Masking(pseudonyms)
        output = masking.feed(stream) + masking.end()
        meters |= {item.meter_id for item in results(masking.protocol, output) if not _is_gas(item)}
    assert meters == {"1 ISK 00 00000001"}


def _is_gas(item: Reading | Fault) -> bool:
    return isinstance(item, Reading) and item.channel > 0


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_no_valid_telegram_becomes_zeros(name: str) -> None:
    stream = STREAMS[name]("70347617")
    damaged = bytearray(stream)
    damaged[len(stream) // (4 if name not in ("sealed", "unknown") else 2)] ^= 0x21
    noise = b"serial 70347617 "
    output = masked(noise + damaged + stream[: len(stream) // 3])
    assert all(form not in output.translate(SEVEN_BITS) for form in forms("70347617"))
    assert output[: len(noise)].strip(b"\0 ") == b""


@tries(0.3)
@given(st.binary(max_size=300), st.sampled_from(sorted(STREAMS)), st.integers(0, 900), st.binary(max_size=9))
def test_any_bytes_are_masked_without_an_error(noise: bytes, name: str, at: int, piece: bytes) -> None:
    stream = STREAMS[name]("70347617")
    damaged = stream[:at] + piece + stream[at + len(piece) :]
    output = masked(noise + damaged + stream)
    assert not any(form in output.translate(SEVEN_BITS) for form in list(forms("70347617"))[:2])


@pytest.mark.parametrize(
    "path",
    sorted(path for path in CAPTURES.glob("*/*") if path.suffix in (".bin", ".txt") and path.parent.name != "sml"),
    ids=lambda path: path.name,
)
def test_real_telegrams_keep_their_numbers_and_lose_their_names(path: Path) -> None:
    data = path.read_bytes()
    protocol = protocol_of(data)
    output = masked(data)
    if not protocol:
        assert output == bytes(len(data))
        return
    before, after = results(protocol, data), results(protocol, output)
    assert numbers(before) == numbers(after)
    text = output.translate(SEVEN_BITS)
    for item in before:
        for number in re.findall(r"[0-9A-F]{0,4}\d{7,}", item.meter_id):
            assert number.encode() not in text, item.meter_id
            assert number.encode().hex().encode() not in text.lower(), item.meter_id


def test_captures_are_there() -> None:
    if not CAPTURES.is_dir():
        pytest.skip(f"no captures at {CAPTURES}")
    assert list(CAPTURES.glob("dlms/*.bin"))


def test_a_protocol_is_told_by_a_valid_telegram_alone() -> None:
    assert protocol_of(texts.p1_telegram()[:-9]) == ""
    assert protocol_of(b"") == ""
    assert {protocol_of(stream("70347617")) for stream in STREAMS.values()} == set(DECODERS)
