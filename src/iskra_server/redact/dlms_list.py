"""The list of a Data-Notification without what names the meter or a person; every length stays."""

from collections.abc import Iterator

from iskra_server.codecs.dlms import axdr, identity, layouts, lists, notification
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.checks import is_name
from iskra_server.codecs.dlms.scales import KAMSTRUP
from iskra_server.meter.obis import Obis
from iskra_server.redact.pseudonyms import Pseudonyms

# types of meters, on which scalers depend, and versions of lists
_TYPE_TEXTS = (b"Kamstrup_", b"AIDON_", b"KFM_")
_TYPES = frozenset(map(Obis.parse, ("0-0:96.1.7", "0-0:96.14.0")))
_KAMSTRUP_TYPE = Obis.parse("1-1:96.1.1")
_CLOCKS = frozenset(map(Obis.parse, ("1-0:0.9.1", "1-0:0.9.2", "0-0:0.9.1", "0-0:0.9.2")))
_CODE_LENGTH = 6
_MAX_TIME_LENGTH = 5
# from so many on, a number that nothing describes may be a serial number
_ROUNDED_FROM = 1_000_000
_ROUNDED_DIGITS = 3
_SHORT = 0x80


def masked_notification(apdu: bytes, title: bytes, pseudonyms: Pseudonyms) -> bytes | None:
    """The telegram without its identity; None where that is impossible. Raises Malformed for what is none."""
    sent = notification.parse(apdu)
    found = lists.find(sent.body)
    maker = found.maker if found else ""
    maker = maker or identity.maker_of(title, lists.texts(found.items) if found else ())
    codes: dict[int, Obis] = {}
    if found is not None:
        codes = {id(item.element): item.obis for item in found.items}
    else:
        memory = layouts.Memory(layouts.built_in())
        if match := memory.read(sent.body, time=sent.time, title=title, maker=maker):
            codes = {
                id(element): register.obis for register, element in zip(match.registers, match.elements, strict=True)
            }
    list_mask = _ListMask(pseudonyms, codes, maker, is_described=bool(codes))
    for element in _leaves(sent.body):
        list_mask.learn(element)
    return _written(apdu, sent.body_at, sent.body, list_mask)


class _ListMask:
    """Decides for each element of one list."""

    def __init__(self, pseudonyms: Pseudonyms, codes: dict[int, Obis], maker: str, *, is_described: bool) -> None:
        self._pseudonyms = pseudonyms
        self._codes = codes
        self._is_kamstrup = maker == KAMSTRUP
        self._is_described = is_described

    def learn(self, element: Element) -> None:
        """Let the search for leftovers look for what names the meter."""
        names_meter = self._codes.get(id(element)) in identity.CODES or is_name(element.data)
        if names_meter and element.data.strip(b"\0 0") and not self._is_kept(element):
            self._pseudonyms.forbid(element.data)

    def value(self, element: Element) -> int | bytes | bool | None:
        """What stands in the place of a value that is neither array nor structure."""
        value = element.value
        assert not isinstance(value, tuple)
        if isinstance(value, bytes):
            if self._is_kept(element):
                return value
            return self._pseudonyms.of(value) if value.strip(b"\0 0") else value
        if isinstance(value, bool) or value is None:
            return value
        code = self._codes.get(id(element))
        if code in identity.CODES:
            return _with_first_digit(value, self._pseudonyms.of_text(str(value))) if value else value
        return value if self._is_described else rounded(value)

    def _is_kept(self, element: Element) -> bool:
        data, code = element.value, self._codes.get(id(element))
        if not isinstance(data, bytes) or element.tag in axdr.RAW:
            return True
        if code in _TYPES or (code == _KAMSTRUP_TYPE and self._is_kamstrup) or data.startswith(_TYPE_TEXTS):
            return True
        if lists.is_clock(element) or (code in _CLOCKS and len(data) <= _MAX_TIME_LENGTH):
            return True
        # the code of a value, or the name of a list
        return (len(data) == _CODE_LENGTH and lists.code(element) is not None) or data in _list_texts()


def _list_texts() -> frozenset[bytes]:
    """The texts by which layouts are told apart."""
    return frozenset(place.text for layout in layouts.built_in() for place in layout.places if place.text)


def _leaves(element: Element) -> Iterator[Element]:
    if element.tag in axdr.COMPOUND:
        for item in element.items:
            yield from _leaves(item)
    else:
        yield element


def _written(apdu: bytes, at: int, body: Element, list_mask: _ListMask) -> bytes | None:
    """Replace each value where it stands: lists without tags (untagged.py) have no encoder."""
    data = bytearray(apdu)
    for element in _leaves(body):
        masked = list_mask.value(element)
        if masked == element.value or masked is None or isinstance(masked, bool):
            continue
        before, after = _wire(element.tag, element.value), _wire(element.tag, masked)
        place = data.find(before, at)
        if place < 0 or len(before) != len(after):
            return None
        data[place : place + len(after)] = after
        at = place + len(after)
    return bytes(data)


def _wire(tag: int, value: object) -> bytes:
    """The tag, the length where it is short, and the value."""
    if isinstance(value, int):
        width, signed = axdr.INTEGERS[tag]
        return bytes((tag,)) + value.to_bytes(width, signed=signed)
    assert isinstance(value, bytes)
    length = 8 * len(value) if tag == axdr.BITS else len(value)
    return (bytes((tag, length)) if length < _SHORT else b"") + value


def _with_first_digit(value: int, pseudonym: str) -> int:
    """A number with as many digits as the original."""
    return int(str(value)[0] + pseudonym[1:]) if len(pseudonym) > 1 else value


def rounded(value: int) -> int:
    """A number that may be a serial number, by its first digits."""
    if abs(value) < _ROUNDED_FROM:
        return value
    step: int = 10 ** (len(str(abs(value))) - _ROUNDED_DIGITS)
    return abs(value) // step * step * (1 if value > 0 else -1)
