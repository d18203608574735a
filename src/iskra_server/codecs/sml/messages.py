"""SML messages: from the payload of a telegram to readings (SML 1.04, 5.1).

    message  transaction id | group | abort on error | [tag, body] | checksum | 00
    0x0701   client id | server id | list name | sensor time | [entry ...] | signature | gateway time
    entry    OBIS code | status | time | unit | scaler | value | signature

Only list responses carry values; other messages are checked and skipped. An entry that cannot be read is left out,
the rest of the telegram counts.
"""

from collections.abc import Iterator
from typing import Literal

from iskra_server.codecs.checksum import Variant, checksum
from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.sml import tlv
from iskra_server.codecs.sml.encoder import LIST_RESPONSE
from iskra_server.codecs.sml.tlv import Leaf, Node, Sequence
from iskra_server.meter.identity import meter_id
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime, Reading, Register
from iskra_server.meter.units import Unit

_MESSAGE_ITEMS = 6
_LIST_ITEMS = 5
_ENTRY_ITEMS = 6
_OBIS_LENGTH = 6
# an int8 (SML 1.04, 5.1.17); a larger one would make a number of any length
_SCALERS = range(-128, 128)
_TIME_KINDS: dict[int, Literal["sec_index", "timestamp"]] = {1: "sec_index", 2: "timestamp"}
_LOCAL_TIME = 3
_TIME_VALUE = 1
# registers that hold the server id where the list has none
_IDENTITIES = (Obis.parse("1-0:0.0.9"), Obis.parse("1-0:96.1.0"))


class ChecksumWrong(Malformed):
    """A message whose own checksum is wrong."""


def parse(payload: bytes, padding: int, variant: Variant) -> tuple[Sequence, ...]:
    """The messages of a telegram, every checksum right; raises Malformed or ChecksumWrong."""
    end = len(payload) - padding
    if end <= 0:
        raise Malformed(f"{padding} bytes of padding in a payload of {len(payload)}")
    messages = []
    at = 0
    while at < end:
        message, following = tlv.parse(payload, at)
        messages.append(_checked(payload, at, following, message, variant))
        at = following
    return tuple(messages)


def readings(messages: tuple[Sequence, ...], byte_count: int) -> Iterator[Reading]:
    """One reading for each list response; `byte_count` is the length of the telegram on the wire."""
    for part, body in enumerate(filter(None, map(list_response, messages))):
        yield _reading(body, byte_count, part)


def tag(message: Sequence) -> int | None:
    """What kind of message it is; tags are u16 or u32."""
    choice = message.items[3]
    return number(choice.items[0]) if isinstance(choice, Sequence) and len(choice.items) == 2 else None


def list_response(message: Sequence) -> Sequence | None:
    """The body of a message that is a list response, else None."""
    choice = message.items[3]
    if tag(message) != LIST_RESPONSE or not isinstance(choice, Sequence):
        return None
    body = choice.items[1]
    is_list = isinstance(body, Sequence) and len(body.items) >= _LIST_ITEMS and isinstance(body.items[4], Sequence)
    return body if is_list and isinstance(body, Sequence) else None


def entries(body: Sequence) -> Iterator[Sequence]:
    """The entries of a list response that can be read."""
    values = body.items[4]
    for entry in values.items if isinstance(values, Sequence) else ():
        if isinstance(entry, Sequence) and len(entry.items) >= _ENTRY_ITEMS and _is_readable(entry):
            yield entry


def number(node: Node) -> int | None:
    """The value of an integer field of either sign and any width, else None."""
    if isinstance(node, Leaf) and node.kind in (tlv.INTEGER, tlv.UNSIGNED):
        return int(node.value)
    return None


def time(node: Node) -> MeterTime | None:
    """SML_Time in every form: a choice, or a bare number (SML 1.04, 5.1.18)."""
    bare = number(node)
    if bare is not None:
        return MeterTime("sec_index", bare)
    if not isinstance(node, Sequence) or len(node.items) != 2:
        return None
    choice, value = number(node.items[0]), node.items[1]
    seconds = number(value)
    if seconds is not None and choice in _TIME_KINDS:
        return MeterTime(_TIME_KINDS[choice], seconds)
    if choice == _LOCAL_TIME and isinstance(value, Sequence):
        parts = [part for item in value.items if (part := number(item)) is not None]
        return MeterTime("local", *parts) if len(parts) == len(value.items) == 3 else None
    return None


def register(entry: Sequence) -> Register:
    """One entry as a register."""
    _, status, moment, unit, scaler, value = entry.items[:_ENTRY_ITEMS]
    code = _code(entry)
    assert code is not None
    unit_code = number(unit)
    return Register(
        code,
        _raw(value),
        scaler=number(scaler),
        unit=None if unit_code is None else Unit(unit_code),
        status=number(status),
        time=time(moment),
    )


def server_id(body: Sequence) -> bytes:
    """The server id of a list response, or that in its registers; b"" where there is none."""
    if in_list := _octet_string(body.items[1]):
        return in_list
    values = {_code(entry): _octet_string(entry.items[5]) for entry in entries(body)}
    return next((value for obis in _IDENTITIES if (value := values.get(obis))), b"")


def _checked(payload: bytes, at: int, end: int, message: Node, variant: Variant) -> Sequence:
    if not isinstance(message, Sequence) or len(message.items) != _MESSAGE_ITEMS:
        raise Malformed(f"no message of {_MESSAGE_ITEMS} fields at byte {at}")
    *_, sent, mark = message.items
    if mark != tlv.END_OF_MESSAGE or number(sent) is None:
        raise Malformed(f"the message at byte {at} does not end in a checksum and 00")
    covered = payload[at : end - 1 - tlv.size(sent)]
    if number(sent) != int.from_bytes(checksum(covered, variant)):
        raise ChecksumWrong(f"the checksum of the message at byte {at} is wrong")
    return message


def _reading(body: Sequence, byte_count: int, part: int) -> Reading:
    identity = server_id(body)
    listed = tuple(entries(body))
    return Reading(
        meter_id=meter_id(identity),
        server_id=identity,
        registers=tuple(map(register, listed)),
        meter_time=time(body.items[3]),
        protocol="sml",
        byte_count=byte_count,
        widths=bytes(map(_width, listed)),
        part=part,
    )


def _is_readable(entry: Sequence) -> bool:
    scaler = number(entry.items[4]) or 0
    return _code(entry) is not None and scaler in _SCALERS


def _code(entry: Sequence) -> Obis | None:
    code = _octet_string(entry.items[0])
    return Obis(code) if len(code) == _OBIS_LENGTH else None


def _octet_string(node: Node) -> bytes:
    return node.payload if isinstance(node, Leaf) and node.kind == tlv.BYTES else b""


def _width(entry: Sequence) -> int:
    """How many bytes an integer takes on the wire; 0 for other values."""
    value = entry.items[5]
    return len(value.payload) if isinstance(value, Leaf) and value.kind in (tlv.INTEGER, tlv.UNSIGNED) else 0


def _raw(value: Node) -> int | bytes | bool:
    if isinstance(value, Leaf):
        return value.value
    # SML_ListType holds a time where a value is a moment (SML 1.04, 5.1.17.2)
    moment = time(value.items[1]) if len(value.items) == 2 and number(value.items[0]) == _TIME_VALUE else None
    return moment.seconds if moment else b""
