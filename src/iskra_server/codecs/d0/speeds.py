"""Modes and speeds of a D0 meter, by the letter Z of its identification (IEC 62056-21, 6.3.2 and annex A).

    mode   Z        speed behind the identification
    A      others   300, the readout follows by itself
    B      A to F   600 x 2^n; the meter switches by itself, at once
    C      0 to 6   300 x 2^n; we acknowledge, then both switch. Without that: 300, the readout follows by itself

When to switch after the acknowledgement depends on the adapter: some still hold its last bits, while a meter may begin
to send within 20 to 200 ms. So the session tries several delays, then the next lower speed, then no acknowledgement at
300 baud. `Learned` holds the settings that worked.
"""

from collections.abc import Collection, Iterator
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


def attempts(
    ident: str, learned: Learned | None, *, can_switch: bool, refused: Collection[int] = ()
) -> tuple[Learned, ...]:
    """The settings to try, in order, with a meter of mode C; `refused` are speeds in baud that the line cannot take.

    Those that worked come twice, as a readout may be damaged; so do those behind a speed that was refused.
    """
    offered = [speed for speed in _C[: _C.find(ident[_SPEED : _SPEED + 1]) + 1] if baud(speed) not in refused]
    settings = tuple(dict.fromkeys(_attempts(offered, learned, can_switch=can_switch)))
    return (settings[0], *settings) if refused or learned == settings[0] else settings


def _attempts(offered: list[str], learned: Learned | None, *, can_switch: bool) -> Iterator[Learned]:
    if can_switch:
        if learned and learned.speed in ("", *offered):
            yield learned
        yield from (Learned(speed, delay_s) for speed in offered[-1:] for delay_s in _DELAYS_S)
        yield from map(Learned, offered[-2:-1])
    yield Learned("")
