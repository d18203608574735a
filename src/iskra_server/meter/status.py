"""The status word that ISKRA meters send with 1.8.0, for both generations.

EDL (MT175, MT681): 0x0182 import, 0x01A2 export; bit 5 means export in two sources and others differ.
FNN/MS2020 (MT631, MT691): the low octet is 0x04 and the bits below are named; sent while locked, too.

Shown for diagnosis, never relied on for a value.
"""

from msgspec import Struct

from iskra_server.meter import identity
from iskra_server.meter.reading import Reading

_MS2020_MARK = 0x04
MS2020_BITS = {
    8: "above_start_current",
    10: "terminal_cover_open",
    11: "exporting",
    12: "exporting_l1",
    13: "exporting_l2",
    14: "exporting_l3",
    15: "wrong_rotation",
    18: "l1_present",
    19: "l2_present",
    20: "l3_present",
}
_EDL_EXPORT_BIT = 5
_PRESENT = {"l1_present": "L1", "l2_present": "L2", "l3_present": "L3"}


class StatusWord(Struct, frozen=True):
    """`generation` is "ms2020" or "edl"; `flags` are the names of the bits that are set and known."""

    hex: str
    generation: str
    flags: tuple[str, ...]


def explain(word: int) -> StatusWord:
    """The hex text of a status word, and what its bits say."""
    text = f"0x{word:08x}"
    if word & 0xFF == _MS2020_MARK:
        return StatusWord(text, "ms2020", tuple(name for bit, name in MS2020_BITS.items() if word >> bit & 1))
    return StatusWord(text, "edl", ("exporting",) if word >> _EDL_EXPORT_BIT & 1 else ())


def status_word(reading: Reading) -> StatusWord | None:
    """The first status word, of an ISKRA meter: other makers' bits mean other things."""
    if identity.family(reading) is None:
        return None
    return next((explain(register.status) for register in reading.registers if register.status is not None), None)


def phases_missing(reading: Reading) -> tuple[str, ...]:
    """The phases without voltage, where the status word tells: a meter that names none at all does not tell."""
    word = status_word(reading)
    if word is None or not any(flag in word.flags for flag in _PRESENT):
        return ()
    return tuple(phase for flag, phase in _PRESENT.items() if flag not in word.flags)
