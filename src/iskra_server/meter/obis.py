"""OBIS codes (IEC 62056-6-1): six numbers A-B:C.D.E*F that say what a value is.

    A medium (1 electricity)   B channel   C quantity (1 import, 2 export, 16 net)
    D kind (8 counter, 7 instantaneous)    E tariff    F billing period (255 = now)

The wire form is six bytes, and an `Obis` is those bytes: equality, hash and order are theirs.
"""

import re

_FORM = re.compile(
    r"(?:(?P<a>\d+)-(?P<b>\d+):)?(?P<c>\d+|[CFLP])\.(?P<d>\d+|[CFLP])(?:\.(?P<e>\d+))?(?:[*&](?P<f>\d+))?"
)
# IEC 62056-21 writes these groups as letters
LETTERS = {"C": 96, "F": 97, "L": 98, "P": 99}
_NOW = 255


class Obis(bytes):
    """Six bytes A-B:C.D.E*F; `Obis(bytes)` takes the wire form, `Obis.parse(text)` the printed one."""

    __slots__ = ()

    def __new__(cls, data: bytes) -> "Obis":
        if len(data) != 6:
            raise ValueError(f"an OBIS code has 6 bytes, not {len(data)}: {bytes(data).hex()}")
        return super().__new__(cls, data)

    @classmethod
    def parse(cls, text: str) -> "Obis":
        """`1-0:1.8.0*255`, `1-0:1.8.0` or `1.8.0`: A-B is 1-0 and F is 255 (now) where absent.

        Raises ValueError, naming the text, for anything else.
        """
        form = _FORM.fullmatch(text.strip())
        groups = form.groupdict() if form else {}
        numbers = [LETTERS.get(part) or int(part) for part in _with_defaults(groups)] if form else []
        if not form or max(numbers) > 255:
            raise ValueError(f"'{text}' is not an OBIS code; expected a form like 1-0:1.8.0*255 or 1.8.0")
        return cls(bytes(numbers))

    def __str__(self) -> str:
        return f"{self.short}*255" if self[5] == _NOW else self.short

    def __repr__(self) -> str:
        return f"Obis('{self}')"

    @property
    def short(self) -> str:
        """`1-0:1.8.0`; the F group is printed only where it is not 255."""
        a, b, c, d, e, f = self
        return f"{a}-{b}:{c}.{d}.{e}" + ("" if f == _NOW else f"*{f}")


def _with_defaults(groups: dict[str, str | None]) -> list[str]:
    return [
        groups["a"] or "1",
        groups["b"] or "0",
        groups["c"] or "",
        groups["d"] or "",
        groups["e"] or "0",
        groups["f"] or str(_NOW),
    ]


# the energy totals, from and to the grid
IMPORT, EXPORT = Obis.parse("1.8.0"), Obis.parse("2.8.0")
