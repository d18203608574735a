"""SML telegrams without the meter's identity: same structure and numbers, valid checksums.

    server ids, octet strings among the values    replaced, the same by the same everywhere
    maker, firmware version, list name, OBIS      kept
    every other octet string (transaction ids, client ids, signatures)    zeros

Bytes outside valid telegrams are set to zero, as they may hold a part of a serial number; so is a telegram that
would still contain the identity in another form.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.sml import encoder, messages, tlv
from iskra_server.codecs.sml.decoder import parse_telegram
from iskra_server.codecs.sml.tlv import Leaf, Node, Sequence
from iskra_server.codecs.sml.transport import Transport
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault
from iskra_server.meter.registers import BY_KEY
from iskra_server.redact.pseudonyms import Pseudonyms

_KEPT = frozenset(BY_KEY[key].obis for key in ("manufacturer", "manufacturer_id", "firmware_version"))
_IDENTITIES = frozenset(
    BY_KEY[key].obis for key in ("server_id", "device_id", "device_number", "equipment_id", "owner_number")
)
# code, status, time, unit, scaler, value; a signature may follow
_ENTRY_ITEMS = 6


class SmlMasking:
    """One per stream. `blanked` counts bytes set to zero."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self.blanked = 0
        self._pseudonyms = pseudonyms
        self._transport = Transport()

    def feed(self, data: bytes) -> bytes:
        """The telegrams that this chunk completes, masked. Lengths stay, unless a checksum changes its width."""
        return b"".join(self._complete(data))

    def end(self) -> bytes:
        """Zeros for the bytes of an incomplete telegram."""
        return self._blank(self._transport.pending)

    def _complete(self, data: bytes) -> Iterator[bytes]:
        if not self._transport.ready(data):
            return
        while (item := self._transport.next()) is not None:
            if isinstance(item, Fault):
                yield self._blank(item.byte_count)
                continue
            try:
                yield mask(item, self._pseudonyms) or self._blank(len(item))
            except Malformed as error:
                yield self._blank(self._transport.reject(item, "structure", str(error)).byte_count)

    def _blank(self, count: int) -> bytes:
        self.blanked += count
        return bytes(count)


def mask(telegram: bytes, pseudonyms: Pseudonyms) -> bytes | None:
    """A valid telegram without its identity; None if that is impossible. Raises Malformed for a damaged one."""
    parsed, variant, padding = parse_telegram(telegram)
    for body in filter(None, map(messages.list_response, parsed)):
        _learn(body, pseudonyms)
    masked = [_message(message, pseudonyms) for message in parsed]
    same_padding = encoder.telegram(masked, variant, padding)
    result = same_padding if len(same_padding) == len(telegram) else encoder.telegram(masked, variant)
    return None if pseudonyms.leaks_identity(result) else result


def _learn(body: Sequence, pseudonyms: Pseudonyms) -> None:
    ids = [body.items[1], *(entry.items[5] for entry in messages.entries(body) if _code(entry) in _IDENTITIES)]
    for leaf in ids:
        if isinstance(leaf, Leaf) and leaf.kind == tlv.BYTES and leaf.payload:
            pseudonyms.of(leaf.payload)
            pseudonyms.forbid(leaf.payload)


def _message(message: Sequence, pseudonyms: Pseudonyms) -> Sequence:
    transaction, group, abort, choice, *rest = message.items
    body = messages.list_response(message)
    if body is None:
        masked_choice = _masked_node(choice, pseudonyms)
    else:
        assert isinstance(choice, Sequence)
        masked_choice = replace(choice, items=(choice.items[0], _list_response(body, pseudonyms)))
    return replace(message, items=(_masked_node(transaction, pseudonyms), group, abort, masked_choice, *rest))


def _list_response(body: Sequence, pseudonyms: Pseudonyms) -> Sequence:
    client, server, name, time, values, *rest = body.items
    assert isinstance(values, Sequence)
    entries = tuple(_entry(entry, pseudonyms) for entry in values.items)
    masked_ids = (_masked_node(client, pseudonyms), _masked_node(server, pseudonyms))
    signature = (_masked_node(node, pseudonyms) for node in rest)
    return replace(body, items=(*masked_ids, name, time, replace(values, items=entries), *signature))


def _entry(entry: Node, pseudonyms: Pseudonyms) -> Node:
    code = _code(entry)
    if not isinstance(entry, Sequence) or code is None:
        return _masked_node(entry, pseudonyms)
    *head, value = entry.items[:_ENTRY_ITEMS]
    rest = (_masked_node(node, pseudonyms) for node in entry.items[_ENTRY_ITEMS:])
    if code not in _KEPT:
        value = _value(value, code, pseudonyms)
    return replace(entry, items=(*head, value, *rest))


def _value(value: Node, code: Obis, pseudonyms: Pseudonyms) -> Node:
    if isinstance(value, Sequence):
        return _masked_node(value, pseudonyms)
    if value.kind == tlv.BYTES and value.payload:
        return replace(value, payload=pseudonyms.of(value.payload))
    return replace(value, payload=bytes(len(value.payload))) if code in _IDENTITIES else value


def _masked_node(node: Node, pseudonyms: Pseudonyms) -> Node:
    """Replace each octet string below a node by its pseudonym, or by zeros."""
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_masked_node(item, pseudonyms) for item in node.items))
    if node.kind != tlv.BYTES:
        return node
    return replace(node, payload=pseudonyms.get(node.payload) or bytes(len(node.payload)))


def _code(entry: Node) -> Obis | None:
    """The OBIS code of a complete entry, else None."""
    whole = isinstance(entry, Sequence) and len(entry.items) >= _ENTRY_ITEMS
    code = entry.items[0] if isinstance(entry, Sequence) and whole else None
    return Obis(code.payload) if isinstance(code, Leaf) and code.kind == tlv.BYTES and len(code.payload) == 6 else None
