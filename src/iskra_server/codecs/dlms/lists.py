"""What a pushed list says, by its shape; the first that fits counts.

    described    {array of {class, code, attribute, index[, ...]}, value, ...}: descriptor i is that of element i
    tagged       {[[code,] clock,] {code, value, {scaler, unit}}, {code, value}, ..., [meter number]}
    flat         {[text or clock,] code, value, {scaler, unit}, code, value, ..., [meter number]}

Lists of values alone have no code in them; layouts.py names their elements.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from iskra_server.codecs.dlms import axdr
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.notification import is_date_time
from iskra_server.codecs.dlms.scales import KAMSTRUP, Scale, Scales
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import Unit

_OBIS_LENGTH = 6
_NOW = 255
# 0 abstract, 1 electricity
_MEDIA = (0, 1)
# interface classes whose attribute 2 is a value: data, register, extended register, clock
_VALUE_CLASSES = frozenset((1, 3, 4, 8))
_REGISTER_CLASSES = frozenset((3, 4))
_VALUE = 2
_SCALER_AND_UNIT = 3
_MIN_PAIRS = 2
# groups C of what is no measured value
_UNSCALED = frozenset((0, 96, 97, 98, 99))
_SUB_METER = 24
_KAMSTRUP_TYPE = Obis.parse("1-1:96.1.1")


class Item(Struct, frozen=True, gc=False):
    """A value with its code; `scale` where it was sent."""

    obis: Obis
    element: Element
    scale: Scale | None = None


class ListContent(Struct, frozen=True):
    """The values of a list in its order; `number` is a meter number that stands without a code."""

    items: tuple[Item, ...]
    number: bytes = b""
    maker: str = ""


def find(body: Element) -> ListContent | None:
    """The values of a list that names them itself; None for one that does not."""
    elements = body.items
    return _described(elements) or _tagged(elements) or _flat(elements)


def registers(items: Sequence[Item], maker: str, scales: Scales) -> list[tuple[Register, Element]]:
    """The registers of a list with their elements; numbers whose scaler is neither sent nor known are left out."""
    type_number = next((item.element.data for item in items if item.obis == _KAMSTRUP_TYPE), b"")
    scales.settle_current({item.obis: item.element.value for item in items if item.scale is None}, maker)
    found = ((_register(item, maker, type_number, scales), item.element) for item in items)
    return [(register, element) for register, element in found if register is not None]


def texts(items: Iterable[Item]) -> Iterator[Register]:
    """The texts of a list, whose meaning needs no scaler."""
    return (Register(item.obis, item.element.data) for item in items if item.element.data)


def code(element: Element) -> Obis | None:
    """The OBIS code that an octet string of six bytes is, else None."""
    data = element.value
    if element.tag != axdr.OCTETS or not isinstance(data, bytes) or len(data) != _OBIS_LENGTH:
        return None
    return Obis(data) if data[5] == _NOW and data[0] in _MEDIA else None


def is_clock(element: Element) -> bool:
    """Whether an element is a date-time."""
    value = element.value
    return element.tag in (axdr.OCTETS, 0x19) and isinstance(value, bytes) and is_date_time(value)


def _described(elements: tuple[Element, ...]) -> ListContent | None:
    if not elements or elements[0].tag != axdr.ARRAY or len(elements[0].items) != len(elements):
        return None
    descriptors = [_descriptor(descriptor) for descriptor in elements[0].items]
    if any(descriptor is None for descriptor in descriptors):
        return None
    rows = [(*row, element) for row, element in zip(descriptors[1:], elements[1:], strict=True) if row]
    scales = {
        obis: scale
        for klass, obis, attribute, element in rows
        if klass in _REGISTER_CLASSES and attribute == _SCALER_AND_UNIT and (scale := _scale(element))
    }
    return ListContent(
        tuple(
            Item(obis, element, scales.get(obis))
            for klass, obis, attribute, element in rows
            if klass in _VALUE_CLASSES and attribute == _VALUE
        )
    )


def _descriptor(element: Element) -> tuple[int, Obis, int] | None:
    """Class, code and attribute. A list name's code (0-6:25.9.0) has its channel in B; F may be anything."""
    fields = element.items
    if element.tag != axdr.STRUCTURE or len(fields) < 4:
        return None
    klass, data, attribute, index = fields[:4]
    is_typed = klass.tag == axdr.UINT16 and attribute.tag in (axdr.INT8, axdr.UINT8) and index.tag == axdr.UINT16
    if not is_typed or len(data.data) != _OBIS_LENGTH:
        return None
    assert isinstance(klass.value, int) and isinstance(attribute.value, int)
    return klass.value, Obis(data.data), attribute.value


def _tagged(elements: tuple[Element, ...]) -> ListContent | None:
    items: list[Item] = []
    first = next((at for at, element in enumerate(elements) if element.tag == axdr.STRUCTURE), None)
    if first is None or first > 2 or not all(map(is_clock, elements[first - 1 : first])):
        return None
    if first == 2 and (obis := code(elements[0])):
        items.append(Item(obis, elements[1]))
    number = elements[-1].data
    for element in elements[first:-1] if number else elements[first:]:
        fields = element.items
        name = fields[0].data if fields else b""
        if element.tag != axdr.STRUCTURE or len(name) != _OBIS_LENGTH or len(fields) not in (2, 3):
            return None
        elif len(fields) == 2:
            items.append(Item(Obis(name), fields[1]))
        elif (scale := _scale(fields[2])) is None:
            return None
        else:
            items.append(Item(Obis(name), fields[1], scale))
    return ListContent(tuple(items), number)


def _flat(elements: tuple[Element, ...]) -> ListContent | None:
    """Each value behind its code. A list of values may begin with a code too: the name of the list."""
    at = 0
    while at < len(elements) and code(elements[at]) is None and _may_lead(elements[at]):
        at += 1
    leading, number = elements[:at], b""
    items: list[Item] = []
    while at < len(elements):
        obis = code(elements[at])
        if obis is None or at + 1 == len(elements):
            if at + 1 < len(elements) or obis is not None or not any(item.scale for item in items):
                return None
            number = elements[at].data
            break
        scale = _scale(elements[at + 2]) if at + 2 < len(elements) else None
        items.append(Item(obis, elements[at + 1], scale))
        at += 3 if scale else 2
    if len(items) < _MIN_PAIRS:
        return None
    is_kamstrup = any(element.data.startswith(b"Kamstrup") for element in leading)
    return ListContent(tuple(items), number, KAMSTRUP if is_kamstrup else "")


def _may_lead(element: Element) -> bool:
    """A version text or a clock."""
    return is_clock(element) or (element.data.isascii() and element.data.decode("ascii").isprintable())


def _scale(element: Element) -> Scale | None:
    """Scaler and unit as sent: {i8, enum}."""
    if element.tag != axdr.STRUCTURE or [field.tag for field in element.items] != [axdr.INT8, axdr.ENUM]:
        return None
    scaler, unit = (field.value for field in element.items)
    assert isinstance(scaler, int) and isinstance(unit, int)
    return Scale(scaler, Unit(unit))


def _register(item: Item, maker: str, type_number: bytes, scales: Scales) -> Register | None:
    value = item.element.value
    if isinstance(value, tuple):
        return None
    if value is None:
        return Register(item.obis, b"")
    if isinstance(value, (bool, bytes)):
        return Register(item.obis, value)
    if item.scale is not None:
        return Register(item.obis, value, item.scale.scaler, item.scale.unit)
    scale = scales.of(item.obis, value, maker, type_number)
    if scale is not None:
        return Register(item.obis, value, scale.scaler, scale.unit)
    # a number, a state or a serial number needs no scaler; a measured value, also that of a sub-meter, does
    a, _, c, *_ = item.obis
    return Register(item.obis, value) if (a == 0 and c != _SUB_METER) or c in _UNSCALED else None
