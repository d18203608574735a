"""How a meter is shown to programs: who it is, how it stands, and its registers while they are fresh.

A number that is not fresh is not shown. Keys and signatures are never shown.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.clock import boottime_s
from iskra_server.base.json_values import Instant, Value, instant, number, other
from iskra_server.diagnosis.status import Status
from iskra_server.meter import identity
from iskra_server.meter.lock import sends_locked
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample
from iskra_server.meter.registers import SECRET, describe
from iskra_server.meter.status_word import StatusWord, status_word
from iskra_server.reading.hub import Hub

# keys and signatures have 32 bytes and more, none of them is text
_KEY_BYTES = 32


class MeterRegister(Struct, frozen=True):
    """One register: a number is exact; bytes are hex text in `value`, and `text` where they can be read.

    `derived` says how a value was derived that the meter does not send as it stands; docs/registers.md has the texts.
    """

    obis: str
    name: str
    label: str
    label_de: str
    value: Value
    unit: str | None
    age_s: float
    text: str | UnsetType = UNSET
    derived: str | UnsetType = UNSET


class Meter(Struct, frozen=True):
    """A meter; `registers` is empty unless it is `fresh`, and `last_seen` is there only then."""

    id: str
    server_id: str | None
    label: str | None
    maker: str | None
    family: str | None
    protocol: str | None
    source: str
    simulated: bool
    locked: bool | None
    status: StatusWord | None
    epoch: int
    fresh: bool
    age_s: float | None
    stale_after_s: float
    received_at: Instant | None
    registers: list[MeterRegister]
    last_seen: Instant | UnsetType | None = UNSET


class Meters:
    """The meters of this server, in the order of their sources, and the names they answer to."""

    def __init__(self, hub: Hub, statuses: Callable[[], Sequence[Status]]) -> None:
        self._hub = hub
        self._statuses = statuses

    def ids(self) -> list[str]:
        known = (status.meter_id for status in self._statuses())
        return list(dict.fromkeys([meter_id for meter_id in known if meter_id] + list(self._hub.newest)))

    def first(self) -> str | None:
        """The meter of the first source; None while it is not known, whatever the others read."""
        statuses = self._statuses()
        return statuses[0].meter_id if statuses else next(iter(self._hub.newest), None)

    def find(self, name: str) -> str | None:
        """The meter id behind a label, a label without spaces, or a server id in hex."""
        if name in self._hub.newest:
            return name
        wanted = identity.compact_name(name)
        # those that were read first: how each of a thousand sources stands is long to ask
        known = chain(self._hub.newest, (status.meter_id for status in self._statuses() if status.meter_id))
        return next((meter_id for meter_id in known if wanted in self._names(meter_id)), None)

    def named(self, name: str) -> Meter | None:
        """The meter behind one of its names, as it is shown now."""
        meter_id = self.find(name)
        return self.show(meter_id, boottime_s()) if meter_id else None

    def status(self, meter_id: str | None) -> Status | None:
        """How the source of this meter stands; of no meter: how the first source stands."""
        statuses = self._statuses()
        if meter_id is None:
            return statuses[0] if statuses else None
        return next((status for status in statuses if status.meter_id == meter_id), None)

    def last_seen(self, meter_id: str) -> datetime | None:
        sample = self._hub.newest.get(meter_id)
        return sample.received_at if sample else None

    def show(self, meter_id: str, now_s: float) -> Meter:
        sample = self._hub.newest.get(meter_id)
        if sample is None:
            return self._never_read(meter_id)
        fresh = self._hub.is_fresh(meter_id, now_s)
        age_s = self._hub.age_s(meter_id, now_s) or 0.0
        return show(sample, age_s=age_s, fresh=fresh, stale_after_s=self._hub.stale_after_s(meter_id))

    def _never_read(self, meter_id: str) -> Meter:
        status = self.status(meter_id)
        return Meter(
            id=meter_id,
            server_id=None,
            label=None,
            maker=None,
            family=None,
            protocol=None,
            source=status.source if status else "",
            simulated=status.simulated if status else False,
            locked=None,
            status=None,
            epoch=0,
            fresh=False,
            age_s=None,
            stale_after_s=self._hub.stale_after_s(meter_id),
            received_at=None,
            registers=[],
            last_seen=None,
        )

    def _names(self, meter_id: str) -> set[str]:
        sample = self._hub.newest.get(meter_id)
        server_id = {sample.reading.server_id.hex()} if sample else set()
        return {identity.compact_name(meter_id)} | server_id


def show(sample: Sample, *, age_s: float, fresh: bool, stale_after_s: float) -> Meter:
    """A meter by its newest sample, which is so old."""
    reading = sample.reading
    age_s = round(age_s, 6)
    received_at = instant(sample.received_at)
    return Meter(
        id=reading.meter_id,
        server_id=reading.server_id.hex() or None,
        label=identity.label(reading.server_id),
        maker=identity.maker(reading),
        family=identity.family(reading),
        protocol=reading.protocol,
        source=sample.source,
        simulated=sample.simulated,
        locked=sends_locked(sample),
        status=status_word(reading) if fresh else None,
        epoch=sample.epoch,
        fresh=fresh,
        age_s=age_s,
        stale_after_s=round(stale_after_s, 3),
        received_at=received_at if fresh else None,
        registers=_registers(reading, age_s) if fresh else [],
        last_seen=UNSET if fresh else received_at,
    )


def _registers(reading: Reading, age_s: float) -> list[MeterRegister]:
    return [_register(register, age_s) for register in reading.registers if _is_public(register)]


def _is_public(register: Register) -> bool:
    """Not a key, not a signature, and not an entry without a value."""
    raw = register.raw
    if register.obis in SECRET or raw == b"":
        return False
    return not (isinstance(raw, bytes) and len(raw) >= _KEY_BYTES and register.text is None)


def _register(register: Register, age_s: float) -> MeterRegister:
    value, raw = register.value, register.raw
    code, name, label, label_de = _names(register.obis)
    return MeterRegister(
        obis=code,
        name=name,
        label=label,
        label_de=label_de,
        value=number(value) if value is not None else other(raw.hex() if isinstance(raw, bytes) else bool(raw)),
        unit=register.unit.symbol if register.unit is not None else None,
        age_s=age_s,
        text=register.text or UNSET,
        derived=register.derived or UNSET,
    )


# a meter sends the same codes telegram after telegram
@lru_cache(maxsize=256)
def _names(obis: Obis) -> tuple[str, str, str, str]:
    """Code, name, label in English and German; a register outside the table goes by its code."""
    row, short = describe(obis), obis.short
    return (str(obis), row.key, row.en, row.de) if row else (str(obis), short, short, short)
