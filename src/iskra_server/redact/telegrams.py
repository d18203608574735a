"""Recordings without the meter's identity, for bug reports: the same structure and numbers, right checksums.

    server ids, octet strings among the values    a substitute, the same one wherever it stands
    maker, firmware version, list name, OBIS      kept
    every other octet string (transaction ids, client ids, signatures)    zeros

Substitutes are counted up and not computed from the original: eight digits could be found again by trying.
Bytes outside whole telegrams are blanked, for a piece of a number may stand there; so is a telegram in
which the identity would survive in some other form.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.sml import encoder, messages, tlv
from iskra_server.codecs.sml.decoder import parse_telegram
from iskra_server.codecs.sml.tlv import Leaf, Node, Sequence
from iskra_server.codecs.sml.transport import Transport
from iskra_server.meter import identity
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault
from iskra_server.meter.registers import BY_KEY

_KEPT = frozenset(BY_KEY[key].obis for key in ("manufacturer", "manufacturer_id", "firmware_version"))
_IDENTITIES = frozenset(
    BY_KEY[key].obis for key in ("server_id", "device_id", "device_number", "equipment_id", "owner_number")
)
# a serial number of fewer significant bytes also stands by chance in any counter
_TELLING_BYTES = 3
# code, status, time, unit, scaler, value; a signature may follow
_ENTRY_ITEMS = 6


class Substitutes:
    """What stands for what; `betrays` tells whether an identity is left in some bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}
        self._traces: set[bytes] = set()

    def of(self, original: bytes) -> bytes:
        """As long as the original; a server id keeps its maker, text stays text."""
        number = len(self._known)
        while original not in self._known:
            number += 1
            substitute = _substitute(original, number)
            if substitute != original:
                self._known[original] = substitute
        return self._known[original]

    def known(self, original: bytes) -> bytes | None:
        return self._known.get(original)

    def hide(self, original: bytes) -> None:
        """From now on this identity may not stand in a telegram: neither whole nor its serial, nor either in digits."""
        tail = original[_kept(original) :].lstrip(b"\0")
        for trace in (original, tail) if len(tail) >= _TELLING_BYTES else (original,):
            self._traces |= {trace, trace.hex().encode(), trace.hex().upper().encode()}
        if label := identity.label(original):
            self._traces.add(label[-8:].encode())

    def betrays(self, data: bytes) -> bool:
        return any(trace in data for trace in self._traces)


class Masking:
    """One per recording; several may share `substitutes`. `blanked` counts the bytes that were not kept."""

    def __init__(self, substitutes: Substitutes | None = None) -> None:
        self.blanked = 0
        self._substitutes = substitutes or Substitutes()
        self._transport = Transport()

    def feed(self, data: bytes) -> bytes:
        """What this chunk completes, masked; as many bytes as came in, but for a checksum that changed its width."""
        return b"".join(self._complete(data))

    def end(self) -> bytes:
        """The bytes of a telegram that was not completed, blanked."""
        return self._blank(self._transport.pending)

    def _complete(self, data: bytes) -> Iterator[bytes]:
        if not self._transport.ready(data):
            return
        while (found := self._transport.next()) is not None:
            if isinstance(found, Fault):
                yield self._blank(found.byte_count)
                continue
            try:
                yield mask(found, self._substitutes) or self._blank(len(found))
            except Malformed as error:
                yield self._blank(self._transport.reject(found, "structure", str(error)).byte_count)

    def _blank(self, count: int) -> bytes:
        self.blanked += count
        return bytes(count)


def mask(telegram: bytes, substitutes: Substitutes) -> bytes | None:
    """A whole telegram with its names replaced; None where that cannot be done. Raises Malformed for a damaged one."""
    parsed, variant, padding = parse_telegram(telegram)
    for body in filter(None, map(messages.list_response, parsed)):
        _learn(body, substitutes)
    masked = [_message(message, substitutes) for message in parsed]
    same_padding = encoder.telegram(masked, variant, padding)
    result = same_padding if len(same_padding) == len(telegram) else encoder.telegram(masked, variant)
    return None if substitutes.betrays(result) else result


def _learn(body: Sequence, substitutes: Substitutes) -> None:
    ids = [body.items[1], *(entry.items[5] for entry in messages.entries(body) if _code(entry) in _IDENTITIES)]
    for leaf in ids:
        if isinstance(leaf, Leaf) and leaf.kind == tlv.BYTES and leaf.payload:
            substitutes.of(leaf.payload)
            substitutes.hide(leaf.payload)


def _message(message: Sequence, substitutes: Substitutes) -> Sequence:
    transaction, group, abort, choice, *rest = message.items
    body = messages.list_response(message)
    if body is None:
        hidden = _hidden(choice, substitutes)
    else:
        assert isinstance(choice, Sequence)
        hidden = replace(choice, items=(choice.items[0], _list_response(body, substitutes)))
    return replace(message, items=(_hidden(transaction, substitutes), group, abort, hidden, *rest))


def _list_response(body: Sequence, substitutes: Substitutes) -> Sequence:
    client, server, name, time, values, *rest = body.items
    assert isinstance(values, Sequence)
    entries = tuple(_entry(entry, substitutes) for entry in values.items)
    hidden = (_hidden(client, substitutes), _hidden(server, substitutes))
    signature = (_hidden(node, substitutes) for node in rest)
    return replace(body, items=(*hidden, name, time, replace(values, items=entries), *signature))


def _entry(entry: Node, substitutes: Substitutes) -> Node:
    code = _code(entry)
    if not isinstance(entry, Sequence) or code is None:
        return _hidden(entry, substitutes)
    *head, value = entry.items[:_ENTRY_ITEMS]
    rest = (_hidden(node, substitutes) for node in entry.items[_ENTRY_ITEMS:])
    if code not in _KEPT:
        value = _value(value, code, substitutes)
    return replace(entry, items=(*head, value, *rest))


def _value(value: Node, code: Obis, substitutes: Substitutes) -> Node:
    if isinstance(value, Sequence):
        return _hidden(value, substitutes)
    if value.kind == tlv.BYTES and value.payload:
        return replace(value, payload=substitutes.of(value.payload))
    return replace(value, payload=bytes(len(value.payload))) if code in _IDENTITIES else value


def _hidden(node: Node, substitutes: Substitutes) -> Node:
    """Every octet string below a node as its substitute where it has one, else as zeros."""
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_hidden(item, substitutes) for item in node.items))
    if node.kind != tlv.BYTES:
        return node
    return replace(node, payload=substitutes.known(node.payload) or bytes(len(node.payload)))


def _code(entry: Node) -> Obis | None:
    """The OBIS code of an entry that has all its fields, else None."""
    whole = isinstance(entry, Sequence) and len(entry.items) >= _ENTRY_ITEMS
    code = entry.items[0] if isinstance(entry, Sequence) and whole else None
    return Obis(code.payload) if isinstance(code, Leaf) and code.kind == tlv.BYTES and len(code.payload) == 6 else None


def _substitute(original: bytes, number: int) -> bytes:
    if original.isascii() and original.decode().isprintable():
        return f"{number:0{len(original)}d}"[-len(original) :].encode()
    kept = _kept(original)
    length = len(original) - kept
    return original[:kept] + (number & (1 << 8 * length) - 1).to_bytes(length)


def _kept(original: bytes) -> int:
    """How many bytes of a server id name its medium and maker: 09 01 ISK 00, or 06 ISK 01 in the older form."""
    if identity.label(original):
        return 6
    return 5 if len(original) > 5 and original[1:4].isalpha() else 0
