"""Modes and speeds of a D0 meter, told by the letter Z of its identification (IEC 62056-21, 6.3.2 and annex A).

    mode   Z        speed behind the identification
    A      others   300, the readout follows by itself
    B      A to F   600 x 2^n; the meter switches by itself, at once
    C      0 to 6   300 x 2^n; we acknowledge, then both switch. Without that: 300, the readout follows by itself

When to switch after the acknowledgement depends on the adapter: some still hold its last bits, while a meter may begin
to send within 20 to 200 ms. So the session tries several delays, then the next lower speed, then no acknowledgement at
300 baud. `Learned` holds the settings that worked.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

START_BAUD = 300
_C, _B = "0123456", "ABCDEF"
_DELAYS_S = (0.05, 0.015, 0.1, 0.2)
# place of Z in an identification without its "/"
_SPEED = 3


class Learned(Struct, frozen=True):
    """`speed` is the Z of the acknowledgement, "" for none; the delay counts from the end of its last character."""

    speed: str
    delay_s: float = _DELAYS_S[0]


class Mode(Struct, frozen=True):
    letter: Literal["A", "B", "C"]
    baud: int


def mode(ident: str) -> Mode:
    """How a meter with this identification goes on."""
    letter = ident[_SPEED : _SPEED + 1]
    if letter and letter in _C:
        return Mode("C", baud(letter))
    if letter and letter in _B:
        return Mode("B", 2 * START_BAUD << _B.index(letter))
    return Mode("A", START_BAUD)


def baud(speed: str) -> int:
    """The speed that an acknowledgement with this Z asks for."""
    return START_BAUD << _C.index(speed)


def attempts(ident: str, learned: Learned | None, *, can_switch: bool) -> tuple[Learned, ...]:
    """The settings to try, in order, with a meter of mode C. Those that worked come twice: a readout may be damaged."""
    settings = tuple(dict.fromkeys(_attempts(ident[_SPEED : _SPEED + 1], learned, can_switch=can_switch)))
    return (settings[0], *settings) if learned == settings[0] else settings


def _attempts(offered: str, learned: Learned | None, *, can_switch: bool) -> Iterator[Learned]:
    if can_switch:
        if learned and (not learned.speed or learned.speed <= offered):
            yield learned
        for delay_s in _DELAYS_S:
            yield Learned(offered, delay_s)
        if offered > "0":
            yield Learned(chr(ord(offered) - 1))
    yield Learned("")
