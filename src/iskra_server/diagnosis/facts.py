"""What one reader has measured and counted of its source: the input of the checks (checks.py)."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from iskra_server.diagnosis.stream_guess import StreamGuess

# what a meter measures, and the counter of what a plant produces: 2.8.0 or 1.8.0
Role = Literal["grid", "production"]
ProductionCounter = Literal["export", "import"]
# the quality that follows the hand that places a head, and the one that the checks use
ALIGN_S = 10
CHECK_S = 300
# a telegram that has just begun says nothing about the bytes per second
_RATE_S = 20


class StreamQuality(Struct, frozen=True):
    """What arrived within the last `seconds`. `valid_ratio` of the telegrams, 0..1; None if none began.

    unreadable         telegrams without damage that cannot be used: encrypted, or a list that nothing describes
    framing, overruns  bytes without a stop bit, and without room in a buffer, as the driver counted them; None where it
                       does not count
    bytes_per_s        since the first byte of these seconds; None for the first 20 s
    """

    seconds: int
    valid: int
    damaged: int
    cut: int
    byte_count: int
    valid_ratio: float | None
    framing: int | None = None
    overruns: int | None = None
    bytes_per_s: float | None = None
    unreadable: int = 0


def bytes_per_s(byte_count: int, seconds: float) -> float | None:
    """None while too few seconds have passed."""
    return round(byte_count / seconds, 1) if seconds >= _RATE_S else None


class CounterViolation(Struct, frozen=True):
    """A counter that decreased, or increased too fast: why readings are held back.

    `is_beyond_rating`: no meter of this connection can have counted so far; `is_negative`: it is below 0. Such a
    counter is left out alone, if the meter sends anything else.
    """

    register: str
    before: str
    value: str
    seconds: int
    is_decrease: bool
    is_beyond_rating: bool = False
    is_negative: bool = False

    @property
    def is_impossible(self) -> bool:
        return self.is_beyond_rating or self.is_negative

    @property
    def fault(self) -> str:
        if self.is_negative:
            return "below_zero"
        if self.is_decrease:
            return "went_back"
        return "beyond_rating" if self.is_beyond_rating else "jumped"


class UnreadableTelegram(Struct, frozen=True):
    """A telegram without damage that cannot be used. `kind` is that of the fault: encrypted, wrong_key, not_authentic,
    replayed or layout. `meter_id` is empty where it does not tell its sender; `elements` are those of an unknown list.
    """

    kind: str
    detail: str
    meter_id: str = ""
    elements: tuple[str, ...] = ()


class Facts(Struct, frozen=True):
    """Counts since the reader started. Ages in seconds; None means never, or not known.

    name                 what the configuration calls the meter, empty without a name
    role                 grid or production, as configured; `production_counter`: the counter of what a plant produces
    problem              why the port is not read: a key of the fault table (advice.py), with its `problem_details`
    stream_guess         what bytes that are no telegram look like
    last_10s, last_5min  how telegrams arrived within the last 10 s and the last 5 minutes
    usual_interval_s     the usual time between two telegrams
    locked_at            when the meter locked itself after it was unlocked; `unlocked_for_s` is how long it was
                         unlocked then, None where its unlocking was not seen
    counter_violation    why readings are held back now, or one of their counters
    previous_meter_id    the meter that the same head read before, which this one may replace; `meter_changes` is how
                         often the meter changed within the last ten minutes
    clock_problem        why the clock of this computer is wrong, None while it is right; `clock_time` is what it shows
    rows_set_aside       rows of history whose time cannot be right
    missing_prices       `zone` and `time`: from when on spot prices are missing that should be there; else empty
    is_import_only       the meter sends no export register
    phases_missing       phases without voltage
    rejected_registers   registers that were sent twice, in a wrong unit, below 0 or impossibly large: not in the record
    ignored_telegrams    telegrams of server ids that came too seldom to be a meter
    unreadable           telegrams without damage that could not be used, by kind; `last_unreadable` is the latest one
                         of the last five minutes
    sub_meters           meters (gas, water, heat) whose readings came with those of this meter, of the last hour
    has_key              a key is configured; `has_auth_key`: one that could check a tag
    protocol             sml, p1, d0 or dlms; empty while it is not known
    line                 speed and format of a serial line, such as "9600 8N1"; empty without one
    poll                 outcome of the last request to a meter that is polled: read, silent, echo, damaged, pushed;
                         not_asked where bytes came unasked before and nothing arrives now
    protection           what shows that telegrams are undamaged: tag, checksum, parity, sum or none
    has_unchecked_tag    the telegrams have a tag, and no key is set that could check it
    is_whole_kwh         the meter counts whole kWh and is not locked
    has_power            the meter sends active power
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
    problem_details: dict[str, str] = {}
    stream_guess: StreamGuess | None = None
    last_10s: StreamQuality | None = None
    last_5min: StreamQuality | None = None
    locked_at: datetime | None = None
    unlocked_for_s: float | None = None
    counter_violation: CounterViolation | None = None
    previous_meter_id: str | None = None
    meter_changes: int = 0
    clock_problem: str | None = None
    clock_time: datetime | None = None
    rows_set_aside: int = 0
    missing_prices: dict[str, str] = {}
    is_import_only: bool = False
    phases_missing: tuple[str, ...] = ()
    rejected_registers: int = 0
    ignored_telegrams: int = 0
    unreadable: dict[str, int] = {}
    last_unreadable: UnreadableTelegram | None = None
    sub_meters: tuple[str, ...] = ()
    has_key: bool = False
    has_auth_key: bool = False
    protocol: str = ""
    line: str = ""
    poll: str = ""
    protection: str = "checksum"
    has_unchecked_tag: bool = False
    is_whole_kwh: bool = False
    has_power: bool = True
    role: Role = "grid"
    production_counter: ProductionCounter = "export"

    @property
    def valid_ratio(self) -> float | None:
        """Valid telegrams among all that began, 0..1; noise between telegrams does not count."""
        damaged = sum(count for kind, count in self.faults.items() if kind != "noise")
        began = self.telegrams + damaged
        return self.telegrams / began if began else None
