"""A meter in the form of the API: who it is, its state, and its registers while its reading is fresh.

Numbers that are not fresh are not part of it, and neither are keys and signatures.
"""

from functools import lru_cache
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, Value, instant, number, text_or_flag
from iskra_server.meter import identity
from iskra_server.meter.lists import shown
from iskra_server.meter.lock import sends_locked
from iskra_server.meter.medium import Medium, medium
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.registers import SECRET, describe
from iskra_server.meter.status_word import StatusWord, status_word

# keys and signatures have 32 bytes or more and are not text
_KEY_BYTES = 32


class MeterRegister(Struct, frozen=True):
    """One register. Numbers are exact; bytes are hex text in `value`, with a `text` if they are readable.

    `age_s` is that of the register's own telegram: a meter may send its registers in several. `time` is the meter's own
    time of the value (a maximum, the reading of a gas meter), without an offset where the meter does not tell its zone.
    `resolution` is the step of the value in `unit` where that is more than 1: 1000 for a meter that counts whole kWh.
    `derived` says how a value was derived that the meter does not send in this form; docs/registers.md lists the texts.
    """

    obis: str
    name: str
    label: str
    label_de: str
    value: Value
    unit: str | None
    age_s: float
    text: str | UnsetType = UNSET
    time: str | UnsetType = UNSET
    resolution: int | UnsetType = UNSET
    derived: str | UnsetType = UNSET


class Meter(Struct, frozen=True):
    """A meter. If it is not `fresh`, `registers` is empty and `last_seen` is present.

    `channel` is present for a sub-meter, whose reading another meter sends with its own; `factor` where energies and
    powers are multiplied by a transformer factor; `role` for the meter of a solar plant.
    """

    id: str
    medium: Medium
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
    channel: int | UnsetType = UNSET
    factor: Number | UnsetType = UNSET
    role: Literal["production"] | UnsetType = UNSET


def meter_view(
    sample: Sample, *, age_s: float, fresh: bool, stale_after_s: float, is_production: bool = False
) -> Meter:
    """A meter from its newest sample, whose age is `age_s`."""
    reading = sample.reading
    age_s = round(age_s, 6)
    received_at = instant(sample.received_at)
    return Meter(
        id=reading.meter_id,
        medium=medium(reading),
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
        registers=_registers(sample, age_s) if fresh else [],
        last_seen=UNSET if fresh else received_at,
        channel=reading.channel or UNSET,
        factor=UNSET if sample.factor == 1 else number(sample.factor),
        role="production" if is_production else UNSET,
    )


def unread_meter_view(meter_id: str, *, source: str, simulated: bool, stale_after_s: float) -> Meter:
    """A meter that is known but has not been read since the server started."""
    return Meter(
        id=meter_id,
        medium="electricity",
        server_id=None,
        label=None,
        maker=None,
        family=None,
        protocol=None,
        source=source,
        simulated=simulated,
        locked=None,
        status=None,
        epoch=0,
        fresh=False,
        age_s=None,
        stale_after_s=stale_after_s,
        received_at=None,
        registers=[],
        last_seen=None,
    )


def _registers(sample: Sample, age_s: float) -> list[MeterRegister]:
    return [
        _register(item.register, round(item.age_s, 6)) for item in shown(sample, age_s) if _is_public(item.register)
    ]


def _is_public(register: Register) -> bool:
    """False for keys, signatures and entries without a value."""
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
        value=number(value) if value is not None else text_or_flag(raw.hex() if isinstance(raw, bytes) else bool(raw)),
        unit=register.unit.symbol if register.unit is not None else None,
        age_s=age_s,
        text=register.text or UNSET,
        time=(register.time.iso if register.time else "") or UNSET,
        resolution=UNSET if value is None else _resolution(register.scaler or 0),
        derived=register.derived or UNSET,
    )


def _resolution(scaler: int) -> int | UnsetType:
    return 10**scaler if scaler > 0 else UNSET


# a meter sends the same codes in every telegram
@lru_cache(maxsize=256)
def _names(obis: Obis) -> tuple[str, str, str, str]:
    """Code, name, English and German label; a register outside the table is named by its code."""
    row, short = describe(obis), obis.short
    return (str(obis), row.key, row.en, row.de) if row else (str(obis), short, short, short)
