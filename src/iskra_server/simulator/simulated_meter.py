"""What a simulated meter is: how it is connected, and a function that writes its telegrams."""

from collections.abc import Callable

from msgspec import Struct

from iskra_server.simulator.household import Household, State
from iskra_server.sources.source import LineSettings

ROOF_W = 5000
BALCONY_W = 600
# simulated serial numbers begin above this one
FIRST_SERIAL = 10_000_000
SERIALS = 10_000_000


class MeterAtSecond(Struct, frozen=True):
    """A meter at one second: `count` is the number of the telegram, `household` is for what lies in the past."""

    serial: int
    state: State
    count: int
    household: Household


Write = Callable[[MeterAtSecond], bytes]


class Polled(Struct, frozen=True):
    """A meter that waits for requests: its identification without "/", the lines of its readout.

    `answers_registers`: it also answers requests for single registers.
    """

    ident: str
    lines: Callable[[MeterAtSecond], list[str]]
    answers_registers: bool = False


class Profile(Struct, frozen=True):
    """`summary` says what it is to a person; `pv_peak_w` is the rated power of the household's roof.

    `interval_s` is the time between two telegrams, or between two polls. `unlocked`: the profile that a locked one
    becomes after its PIN was entered. `key` and `auth_key`: in hex, for a meter that encrypts.
    """

    name: str
    summary: str
    protocol: str
    interval_s: int
    write: Write
    line: LineSettings = LineSettings()
    pv_peak_w: int = 0
    unlocked: str = ""
    polled: Polled | None = None
    key: str = ""
    auth_key: str = ""


def serial_number(seed: int, *, is_plant: bool = False) -> int:
    """Seed 1 has the serial number 10000001, and at the roof of the same household 20000001."""
    return FIRST_SERIAL + seed % SERIALS + (SERIALS if is_plant else 0)


def din_name(serial: int) -> str:
    """The identification of DIN 43863-5 of an electricity meter."""
    return f"1ISK00{serial:08}"
