"""Parses codes of a line: 1-0:1.8.0*255, 1.8.0, C.1, F.F, FF, 1.8.0*07 (IEC 62056-61; IEC 62056-21, 6.5).

A code without A-B belongs to electricity (1-0) where C is 1 to 95, else to 0-0. Letters are numbers: C 96, F 97,
L 98, P 99. The group after * or & is the billing period: absent or 255 is the current one, all others are history.
"""

import re
from functools import lru_cache

from msgspec import Struct

from iskra_server.meter.obis import LETTERS, Obis

NOW = 255
# P1 sends one of them from DSMR 4 on, and always a checksum with it
P1_VERSIONS = frozenset(map(Obis.parse, ("1-3:0.2.8", "0-0:96.1.4")))
_FORM = re.compile(
    r"(?:(\d{1,3})-(\d{1,3}):)?(\d{1,3}|[CFLP])\.(\d{1,3}|[CFLP])(?:\.(\d{1,3}))?(?:[*&](\d{1,3}))?", re.ASCII
)
# the error register in short
_SHORT = {"FF": "F.F", "F": "F.F"}
_LONGEST = len("255-255:255.255.255*255")
_ABSTRACT = 96
_INSTANTANEOUS = 7


class Code(Struct, frozen=True):
    """`obis` has F = 255; `period` is group F as sent, None if it is absent or 255."""

    obis: Obis
    period: int | None


def parse(text: str) -> Code | None:
    """The code, or None if the text is none."""
    # what is cached must be short
    return _parse(text) if len(text) <= _LONGEST else None


# a meter sends the same codes telegram after telegram
@lru_cache(maxsize=1024)
def _parse(text: str) -> Code | None:
    form = _FORM.fullmatch(_SHORT.get(text, text))
    if form is None:
        return None
    a, b, c, d, e, f = form.groups()
    kind, quantity = (LETTERS.get(group) or int(group) for group in (c, d))
    is_electricity = 0 < kind < _ABSTRACT
    groups = [int(a) if a else int(is_electricity), int(b or 0), kind, quantity, int(e or 0), int(f or NOW)]
    if max(groups) > NOW:
        return None
    if groups[4] == NOW and quantity == _INSTANTANEOUS:
        # EasyMeter and eBZ number the sum of the phases 255
        groups[4] = 0
    period = groups.pop()
    return Code(Obis(bytes((*groups, NOW))), None if period == NOW else period)
