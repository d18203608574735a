"""The status word that meters send with 1.8.0, for both generations.

EDL (MT175, MT681): 0x0182 import, 0x01A2 export; bit 5 means export in two sources and others differ.
FNN/MS2020 (MT631, MT691, and other makers): the low byte is 0x04 and the bits below are named; sent while locked, too.

The word of the FNN generation tells the direction of a power without a sign; the EDL word is shown for diagnosis only.
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


# total, L1, L2, L3
_EXPORT_BITS = (11, 12, 13, 14)
_PRESENT_BITS = (18, 19, 20)


def is_ms2020(word: int | None) -> bool:
    return word is not None and word & 0xFF == _MS2020_MARK


def exports(word: int | None, phase: int = 0) -> bool | None:
    """Whether the meter (0) or one of its phases (1 to 3) exports; None where the word does not tell."""
    return bool(word >> _EXPORT_BITS[phase] & 1) if word is not None and is_ms2020(word) else None


def has_one_phase(word: int | None) -> bool | None:
    """Whether L1 alone has voltage; None where the word names no phase with voltage."""
    present = [bool((word or 0) >> bit & 1) for bit in _PRESENT_BITS]
    return present == [True, False, False] if is_ms2020(word) and any(present) else None


def explain(word: int) -> StatusWord:
    """The hex text of a status word, and what its bits say."""
    text = f"0x{word:08x}"
    if is_ms2020(word):
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
