"""What one reader knows of its source at a moment: the ground on which the chain is judged."""

from datetime import datetime

from msgspec import Struct

from iskra_server.diagnosis.reception import Quality
from iskra_server.diagnosis.stream_guess import StreamGuess


class CounterViolation(Struct, frozen=True):
    """A counter that went back, or further than it could: why readings are held back."""

    register: str
    before: str
    value: str
    seconds: int
    is_back: bool


class Facts(Struct, frozen=True):
    """Counts since the reader began. Ages in seconds; None means never, or not known.

    name               what people call the meter, empty where they call it nothing
    problem, about     why the port is not read, as a row of the table of advice
    seems              what bytes that are no telegram seem to be
    lately, recent     how telegrams arrived within the last ten seconds, and within five minutes
    usual_interval_s   the time that usually passes between two telegrams
    locked_at          when the meter was seen to lock itself; `unlocked_for_s` is how long it had been seen unlocked
                       from its unlocking on, None where that was not seen
    leap               why readings are held back now
    previous_meter_id  the meter that was on the same head before, and may have been replaced by this one; `turns` is
                       how often meters changed lately
    clock_doubt        why the clock of this computer is not believed, None while it is; `clock_says` is its time
    set_aside          rows of history whose time cannot be true
    one_way, phases    no register for what is fed in; phases without voltage
    left_out           registers that were sent twice, in a wrong unit or below 0, and are not in the record
    ignored            telegrams of server ids that came too seldom to be a meter
    """

    name: str
    source: str
    port: str
    is_open: bool
    simulated: bool
    byte_count: int
    data_age_s: float | None
    telegrams: int
    faults: dict[str, int]
    quarantined: int
    meter_id: str | None
    age_s: float | None
    stale_after_s: float
    locked: bool | None
    usual_interval_s: float | None = None
    problem: str | None = None
    about: dict[str, str] = {}
    seems: StreamGuess | None = None
    lately: Quality | None = None
    recent: Quality | None = None
    locked_at: datetime | None = None
    unlocked_for_s: float | None = None
    leap: CounterViolation | None = None
    previous_meter_id: str | None = None
    turns: int = 0
    clock_doubt: str | None = None
    clock_says: datetime | None = None
    set_aside: int = 0
    one_way: bool = False
    phases_missing: tuple[str, ...] = ()
    left_out: int = 0
    ignored: int = 0

    @property
    def valid_ratio(self) -> float | None:
        """Whole telegrams among all that began, 0..1; noise between telegrams does not count."""
        damaged = sum(count for kind, count in self.faults.items() if kind != "noise")
        began = self.telegrams + damaged
        return self.telegrams / began if began else None
