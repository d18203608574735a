"""Corrections of wrong values that certain meters send. Each row names maker, registers and evidence."""

from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.status_word import exports

CORRECTED = "corrected width"


class Correction(Struct, frozen=True):
    """A row of the table in docs/registers.md. `widths` are bytes on the wire; `meant` returns the correct number.

    `applies` gets the raw number as sent, and whether the status word says export for this register (None: unknown).
    """

    maker: str
    registers: tuple[Obis, ...]
    widths: tuple[int, ...]
    condition: str
    effect: str
    source: str
    applies: Callable[[int, bool | None], bool]
    meant: Callable[[int, int], int]


# total, L1, L2, L3: in the order of the direction bits of the status word
SIGNED_POWERS = tuple(map(Obis.parse, ("16.7.0", "36.7.0", "56.7.0", "76.7.0")))

CORRECTIONS = (
    Correction(
        maker="DZG",
        registers=SIGNED_POWERS,
        # wider ones would be more than a household connection carries
        widths=(1, 2, 3),
        condition="the value is below 0, and its direction bit in the status word says import",
        effect="the bytes are read as an unsigned number: 256, 65,536 or 16,777,216 is added",
        source="telegrams of DVS-7412.2 and DWS7 meters in the issues of libsml-testing and vzlogger (544)",
        applies=lambda raw, is_export: raw < 0 and is_export is False,
        meant=lambda raw, width: raw + (1 << 8 * width),
    ),
)


def correct(register: Register, width: int, maker: str | None, status: int | None) -> Register:
    """The corrected register; the same object where nothing is corrected."""
    raw = register.raw
    if isinstance(raw, (bytes, bool)):
        return register
    for row in _rows(maker, register.obis):
        is_export = exports(status, row.registers.index(register.obis))
        if width in row.widths and row.applies(raw, is_export):
            return replace(register, raw=row.meant(raw, width), derived=CORRECTED)
    return register


def _rows(maker: str | None, obis: Obis) -> Iterable[Correction]:
    return (row for row in CORRECTIONS if row.maker == maker and obis in row.registers)
