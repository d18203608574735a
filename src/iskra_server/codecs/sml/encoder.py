"""Messages and telegrams to bytes: the inverse of the decoder, for the simulator, for masking and for tests.

    telegram = 1B1B1B1B 01010101 | messages, 00 padding to a multiple of four | 1B1B1B1B 1A PP CC CC
    message  = 76 | transaction id | group | abort on error | 72 tag body | checksum | 00

1B1B1B1B inside is doubled. PP counts the padding; CC CC is the checksum of everything before it.
"""

from collections.abc import Iterable

from iskra_server.codecs.checksum import Variant, checksum
from iskra_server.codecs.sml import tlv
from iskra_server.codecs.sml.tlv import ABSENT, Leaf, Node, Sequence
from iskra_server.meter.obis import Obis

ESCAPE = b"\x1b\x1b\x1b\x1b"
START = ESCAPE + b"\x01\x01\x01\x01"
END = ESCAPE + b"\x1a"

OPEN_RESPONSE = 0x0101
CLOSE_RESPONSE = 0x0201
LIST_RESPONSE = 0x0701


def telegram(messages: Iterable[Sequence], variant: Variant = Variant.X25, padding: int | None = None) -> bytes:
    """A complete telegram. Message checksums are recomputed; `padding` is the smallest possible unless given."""
    payload = b"".join(encoded(message, variant) for message in messages)
    return wrap(payload, variant, padding)


def wrap(payload: bytes, variant: Variant = Variant.X25, padding: int | None = None) -> bytes:
    """Encoded messages with transport marks, padding and checksum."""
    count = -len(payload) % 4 if padding is None else padding
    body = START + payload.replace(ESCAPE, ESCAPE * 2) + bytes(count) + END + bytes((count,))
    return body + checksum(body, variant)


def message(transaction_id: bytes, tag: Leaf, body: Node, group: int = 0, abort_on_error: int = 0) -> Sequence:
    """One message; its checksum is filled in by `telegram`."""
    return tlv.sequence(
        tlv.octet_string(transaction_id),
        tlv.unsigned(group, 1),
        tlv.unsigned(abort_on_error, 1),
        tlv.sequence(tag, body),
        tlv.unsigned(0, 2),
        tlv.END_OF_MESSAGE,
    )


def open_response(file_id: bytes, server_id: bytes, reference_time: Node = ABSENT, version: Node = ABSENT) -> Sequence:
    """Body of a public open response (SML 1.04, 5.1.2)."""
    return tlv.sequence(ABSENT, ABSENT, tlv.octet_string(file_id), tlv.octet_string(server_id), reference_time, version)


def list_response(
    server_id: bytes, list_name: Node, sensor_time: Node, entries: Iterable[Sequence], gateway_time: Node = ABSENT
) -> Sequence:
    """Body of a get-list response (SML 1.04, 5.1.17)."""
    values = tlv.sequence(*entries)
    return tlv.sequence(ABSENT, tlv.octet_string(server_id), list_name, sensor_time, values, ABSENT, gateway_time)


def close_response() -> Sequence:
    """Body of a public close response (SML 1.04, 5.1.4)."""
    return tlv.sequence(ABSENT)


def entry(
    obis: Obis,
    value: Leaf,
    *,
    scaler: Leaf = ABSENT,
    unit: Leaf = ABSENT,
    status: Leaf = ABSENT,
    time: Node = ABSENT,
) -> Sequence:
    """One list entry: code, status, time, unit, scaler, value, signature."""
    return tlv.sequence(tlv.octet_string(obis), status, time, unit, scaler, value, ABSENT)


def sec_index(seconds: int, width: int = 4) -> Sequence:
    """SML_Time, choice 1: seconds since an unknown start."""
    return tlv.sequence(tlv.unsigned(1, 1), tlv.unsigned(seconds, width))


def encoded(message: Sequence, variant: Variant = Variant.X25) -> bytes:
    """The bytes of a message, with its checksum."""
    sent = message.items[4]
    data = tlv.encode(message)
    covered = data[: -1 - tlv.size(sent)]
    right = checksum(covered, variant)
    # a checksum below 256 may be sent in one byte: keep that form where the value is the same
    if isinstance(sent, Leaf) and sent.value == int.from_bytes(right):
        return data
    return covered + tlv.encode(Leaf(tlv.UNSIGNED, right)) + tlv.encode(tlv.END_OF_MESSAGE)
