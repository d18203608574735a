"""The values that are passed on: Register -> Reading -> Sample, and Fault for damage.

All are frozen. A number is kept as the meter sent it, an integer and a power of ten; `value` scales it exactly.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, Protocol

from msgspec import Struct

from iskra_server.meter.obis import Obis
from iskra_server.meter.units import Unit

# a socket buffers about 200 KB, a meter sends about 300 bytes a second
BACKLOG_S = 900.0

# encrypted: no key is set; wrong_key: it does not decipher; not_authentic: the tag does not fit the authentication key;
# replayed: sent before; layout: a list without codes that nothing describes
FaultKind = Literal[
    "checksum",
    "message_checksum",
    "cut",
    "escape",
    "structure",
    "oversize",
    "noise",
    "encrypted",
    "wrong_key",
    "not_authentic",
    "replayed",
    "layout",
]
# what shows that a telegram is as the meter sent it: the tag of an encrypted one, a checksum of 16 bits or the block
# check of D0; or, too weak alone, the parity of each character, or the sum of M-Bus, 8 bits
Protection = Literal["tag", "checksum", "parity", "sum", "none"]
_STRONG: frozenset[Protection] = frozenset(("tag", "checksum"))
# telegrams that were received without damage and cannot be used
UNREADABLE: frozenset[FaultKind] = frozenset(("encrypted", "wrong_key", "not_authentic", "replayed", "layout"))


class MeterTime(Struct, frozen=True, gc=False):
    """The meter's own time: a `sec_index` counts seconds from some start, the other kinds are Unix seconds.

    Of a clock on the "wall" nobody knows the zone: `seconds` are Unix seconds as if it showed UTC, and
    `season_offset_min` is 60 where the meter says that it is summer time.
    """

    kind: Literal["sec_index", "timestamp", "local", "wall"]
    seconds: int
    utc_offset_min: int = 0
    season_offset_min: int = 0

    @property
    def iso(self) -> str:
        """2026-11-22T10:00:00Z; without the Z where nobody knows the zone, "" for seconds since some start."""
        if self.kind == "sec_index":
            return ""
        text = datetime.fromtimestamp(self.seconds, UTC).isoformat()
        return text.replace("+00:00", "" if self.kind == "wall" else "Z")


class Register(Struct, frozen=True, gc=False):
    """One entry of a telegram. `raw` is b"" where the meter left the value out.

    `derived` is empty for a value as sent; otherwise it says how the value was derived (meter/normalise.py).
    """

    obis: Obis
    raw: int | bytes | bool
    scaler: int | None = None
    unit: Unit | None = None
    status: int | None = None
    time: MeterTime | None = None
    derived: str = ""

    @property
    def value(self) -> Decimal | None:
        """raw x 10^scaler in `unit`, every digit kept; None where the entry is not a number."""
        if isinstance(self.raw, (bool, bytes)):
            return None
        return scaled(self.raw, self.scaler or 0)

    @property
    def text(self) -> str | None:
        """The printable form of an octet string, or None."""
        if not isinstance(self.raw, bytes) or not self.raw.isascii():
            return None
        text = self.raw.decode("ascii")
        return text if text and text.isprintable() else None


class Reading(Struct, frozen=True, gc=False, rename={"byte_count": "octets"}):
    """The content of one telegram, in the order of the wire. `byte_count` is the telegram's length on the wire.

    `widths` has the number of bytes that each value took on the wire; it is empty where that is unknown.
    `part` counts the lists of one telegram: 0 for the first one. `channel` is that of a sub-meter (gas, water, heat)
    whose reading another meter sends with its own: 1 to 4; its `meter_time` is when it was read.
    `has_unchecked_tag`: it has a tag, and no key is set that could check it.
    `repeated`: codes of a D0 readout that it has again with another value; the first one is in `registers`.
    """

    meter_id: str
    server_id: bytes
    registers: tuple[Register, ...]
    meter_time: MeterTime | None
    protocol: str
    byte_count: int
    widths: bytes = b""
    part: int = 0
    channel: int = 0
    protection: Protection = "checksum"
    has_unchecked_tag: bool = False
    repeated: tuple[Obis, ...] = ()

    @property
    def is_weak(self) -> bool:
        """Whether damage may have passed all checks: only a second telegram that agrees speaks for its counters."""
        return self.protection not in _STRONG

    def get(self, obis: Obis) -> Register | None:
        """The first register with this code, or None."""
        for register in self.registers:
            if register.obis == obis:
                return register
        return None

    def numbers(self) -> Iterator[Register]:
        """The registers with a number."""
        return (register for register in self.registers if register.value is not None)


class EarlierRegister(Struct, frozen=True, gc=False):
    """A register that the newest telegram of a meter lacks: `lag_s` is by how much it is older than that telegram.

    It is not current any more when it is older than `limit_s`. `waited_s` as in a sample.
    """

    register: Register
    received_at: datetime
    lag_s: float
    limit_s: float
    waited_s: float = 0.0


class Sample(Struct, frozen=True, gc=False):
    """A reading that arrived: `received_at` is UTC, `monotonic_s` the same moment in boot time (clock.py).

    `source` is the meter's URL or port. `epoch` counts the series: it increases when a counter starts again (a replaced
    meter, a reset), see meter/guard.py. `holds_fine`: the guard kept a value with more digits than the meter sends now.
    Not `is_dated`: it was buffered before it was read, and may be newer than `received_at`. `factor`: the reading is
    multiplied by it (transformer_factor.py). `earlier`: registers of the meter's other lists (lists.py). `waited_s`: it
    may have come so much before `received_at`, which counts into its age alone (base/pauses.py).
    """

    reading: Reading
    received_at: datetime
    monotonic_s: float
    simulated: bool
    source: str
    epoch: int = 0
    holds_fine: bool = False
    is_dated: bool = True
    factor: Decimal = Decimal(1)
    earlier: tuple[EarlierRegister, ...] = ()
    waited_s: float = 0.0

    def age_s(self, now_s: float) -> float:
        """At most so long ago it arrived, at `now_s` (boot time)."""
        return max(now_s - self.monotonic_s, 0.0) + self.waited_s


class Fault(Struct, frozen=True, gc=False):
    """Damage in the stream: its kind, a sentence with details, and the number of lost bytes."""

    kind: FaultKind
    detail: str
    byte_count: int
    meter_id: str = ""
    elements: tuple[str, ...] = ()


def scaled(raw: int, scaler: int) -> Decimal:
    """raw x 10^scaler, exact: scaled(74078573, -1) is 7407857.3, scaled(7167, 3) is 7167000."""
    if scaler >= 0:
        return Decimal(raw * 10**scaler)
    return Decimal(f"{raw}E{scaler}")


class Scaled(Protocol):
    """A number as raw x 10^scaler: a Register, or an Exact of history."""

    @property
    def raw(self) -> int | bytes | bool: ...
    @property
    def scaler(self) -> int | None: ...


def on_one_scale(first: Scaled, second: Scaled) -> tuple[int, int, int]:
    """Two numbers as integers of the finer scaler, and that scaler."""
    first_scaler, second_scaler = first.scaler or 0, second.scaler or 0
    finest = min(first_scaler, second_scaler)
    return (
        int(first.raw) * 10 ** (first_scaler - finest),
        int(second.raw) * 10 ** (second_scaler - finest),
        finest,
    )


def seconds_between(before: Sample, sample: Sample) -> float:
    """By arrival or by the meter's own seconds, whichever is more: bytes may have been buffered.

    Buffers hold a limited backlog, so the meter's seconds never count for more than arrival and `BACKLOG_S`.
    """
    arrived = max(0.0, sample.monotonic_s - before.monotonic_s)
    by_meter = _meter_seconds(before.reading.meter_time, sample.reading.meter_time)
    return max(arrived, min(by_meter, arrived + BACKLOG_S))


def _meter_seconds(before: MeterTime | None, time: MeterTime | None) -> float:
    if before is None or time is None or before.kind != time.kind:
        return 0.0
    return float(time.seconds - before.seconds)
