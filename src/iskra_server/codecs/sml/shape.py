"""The shape of a telegram: which bytes hold values, which may be anything, and which checksums cover what.

    values    the value of each entry
    passed    transaction ids, file id, signatures
    checks    (start, end) of the bytes that each message checksum covers

Every place is (field, position of its first byte on the wire); all bytes not named are fixed.
"""

from collections.abc import Iterator

from msgspec import Struct

from iskra_server.codecs.sml import messages, tlv
from iskra_server.codecs.sml.encoder import CLOSE_RESPONSE, LIST_RESPONSE, OPEN_RESPONSE, START
from iskra_server.codecs.sml.tlv import Leaf, Node, Sequence

Place = tuple[Leaf, int]
_Path = tuple[int, ...]
_TRANSACTION_ID: _Path = (0,)
_BODY: _Path = (3, 1)
_ENTRIES: _Path = (3, 1, 4)
# the fields that carry no reading, by message: bytes, then times
_PASSED: dict[int, tuple[tuple[_Path, ...], tuple[_Path, ...]]] = {
    OPEN_RESPONSE: (((3, 1, 2),), ((3, 1, 4),)),
    LIST_RESPONSE: (((3, 1, 5),), ((3, 1, 6),)),
    CLOSE_RESPONSE: ((), ()),
}
_SENSOR_TIME: _Path = (3, 1, 3)
# 63 CC CC 00 at the end of a message
_CHECKSUM_AND_END = 4
_STATUS, _TIME, _VALUE, _SIGNATURE = 1, 2, 5, 6


class Shape(Struct, frozen=True):
    """`statuses` and `times` have an element for each entry, None where the entry has no such field."""

    values: tuple[Place, ...]
    sensor_time: Place | None
    statuses: tuple[Place | None, ...]
    times: tuple[Place | None, ...]
    passed: tuple[Place, ...]
    checks: tuple[tuple[int, int], ...]


def shape(parsed: tuple[Sequence, ...]) -> Shape | None:
    """The shape of a telegram without escapes, None for one that is unusual: it is read the long way."""
    bodies = [body for message in parsed if (body := messages.list_response(message))]
    if len(bodies) != 1 or not all(map(_is_usual, parsed)):
        return None
    entries = tuple(messages.entries(bodies[0]))
    located = [(message, start, dict(_places(message, start, ()))) for message, start in _starts(parsed)]
    places = next(places for message, _, places in located if messages.list_response(message))
    values = tuple(places.get((*_ENTRIES, entry, _VALUE)) for entry in range(len(entries)))
    sensor_time = _moment(places, _SENSOR_TIME)
    times = tuple(_moment(places, (*_ENTRIES, entry, _TIME)) for entry in range(len(entries)))
    sent_times = (bodies[0].items[3], *(entry.items[_TIME] for entry in entries))
    if entries != _listed(bodies[0]) or None in values or not _agree(sent_times, (sensor_time, *times)):
        return None
    return Shape(
        values=tuple(value for value in values if value),
        sensor_time=sensor_time,
        statuses=tuple(_number(places, (*_ENTRIES, entry, _STATUS)) for entry in range(len(entries))),
        times=times,
        passed=tuple(place for message, _, places in located for place in _passed(message, places, len(entries))),
        checks=tuple((start, start + tlv.size(message) - _CHECKSUM_AND_END) for message, start, _ in located),
    )


def _is_usual(message: Sequence) -> bool:
    """A known message with a checksum of two bytes."""
    sent = message.items[4]
    return messages.tag(message) in _PASSED and tlv.size(sent) + 1 == _CHECKSUM_AND_END


def _listed(body: Sequence) -> tuple[Node, ...]:
    values = body.items[4]
    return values.items if isinstance(values, Sequence) else ()


def _agree(sent: tuple[Node, ...], places: tuple[Place | None, ...]) -> bool:
    """Whether every time that was sent is one number at a known place."""
    return all((messages.time(node) is None) == (place is None) for node, place in zip(sent, places, strict=True))


def _starts(parsed: tuple[Sequence, ...]) -> Iterator[tuple[Sequence, int]]:
    position = len(START)
    for message in parsed:
        yield message, position
        position += tlv.size(message)


def _places(node: Node, at: int, path: _Path) -> Iterator[tuple[_Path, Place]]:
    """Every leaf below a node that begins at `at`, by its path."""
    if isinstance(node, Leaf):
        yield path, (node, at + node.head)
        return
    at += node.head
    for index, item in enumerate(node.items):
        yield from _places(item, at, (*path, index))
        at += tlv.size(item)


def _passed(message: Sequence, places: dict[_Path, Place], entries: int) -> Iterator[Place]:
    data, moments = _PASSED[messages.tag(message) or 0]
    signatures = ((*_ENTRIES, entry, _SIGNATURE) for entry in range(entries))
    for path in (_TRANSACTION_ID, *data, *signatures):
        if path in places:
            yield places[path]
    for path in moments:
        moment = _moment(places, path)
        if moment:
            yield moment


def _number(places: dict[_Path, Place], path: _Path) -> Place | None:
    place = places.get(path)
    return place if place and messages.number(place[0]) is not None else None


def _moment(places: dict[_Path, Place], path: _Path) -> Place | None:
    """Where the number of an SML_Time stands: bare, or behind its choice."""
    return _number(places, path) or _number(places, (*path, 1))
