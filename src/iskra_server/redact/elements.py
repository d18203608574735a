"""The elements of a list that nothing describes, as a fault shows them, without what may name the meter or a person."""

from collections.abc import Iterable, Iterator

from iskra_server.codecs.dlms import axdr, lists
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.redact.dlms_list import rounded

_BYTES = frozenset(axdr.NAMES[tag] for tag in (*axdr.TEXTS, axdr.BITS))
_INTEGERS = frozenset(axdr.NAMES[tag] for tag in axdr.INTEGERS)


def masked_elements(elements: Iterable[str]) -> Iterator[str]:
    """Types, lengths, codes and times stay; other texts become zeros, large numbers are rounded."""
    for element in elements:
        kind, _, value = element.partition(" ")
        if kind in _BYTES and not _is_code_or_time(value):
            yield f"{kind} {'00' * (len(value) // 2)}".rstrip()
        elif kind in _INTEGERS and value.lstrip("-").isdecimal():
            yield f"{kind} {rounded(int(value))}"
        else:
            yield element


def _is_code_or_time(value: str) -> bool:
    try:
        element = Element(axdr.OCTETS, bytes.fromhex(value))
    except ValueError:
        return False
    return lists.code(element) is not None or lists.is_clock(element)
