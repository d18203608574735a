"""The payloads of a meter: its exact numbers by name, energy in kWh (kvarh, kVAh, heat also in GJ), the rest
in the meter's unit.

Power has three names: `power` is signed (+ import, - export), `power_import` and `power_export` are its two halves,
never below 0. Where the meter sends the halves, they are published as sent.
"""

from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct

from iskra_server.base.json_values import instant, number
from iskra_server.base.language import Language
from iskra_server.diagnosis.status import Status
from iskra_server.meter.counter_rules import is_counter as is_growing
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample, scaled
from iskra_server.meter.registers import BY_KEY, Description, key_of
from iskra_server.meter.signed_power import POWER, halves
from iskra_server.meter.units import ENERGIES, Unit, unit_named
from iskra_server.outputs.mqtt.period_totals import PeriodTotals

_COUNTER = 8
_JOULE = unit_named("J")
# unit -> the prefix and the power of ten with which it is published; a heat meter counts GJ
_PREFIXES = {**{unit: ("k", 3) for unit in ENERGIES}, _JOULE: ("G", 9)}


class Diagnostics(Struct, frozen=True):
    """`valid_ratio` is the share of valid telegrams, 0..1; `failed_check` the first check that fails, or None.

    `problem` is None while it is not decided (problems.py). `faults` are damaged and unreadable telegrams and noise, by
    kind.
    """

    id: str
    simulated: bool
    source: str
    port: str
    ok: bool
    problem: bool | None
    failed_check: str | None
    sentence: str
    locked: bool | None
    valid_ratio: float | None
    telegrams: int
    faults: dict[str, int]
    held_back: int
    age_s: float | None
    stale_after_s: float


def numbers_of(reading: Reading) -> dict[str, Decimal]:
    """Name -> number, in the order of the telegram, and the two halves of its power."""
    numbers = {key_of(register.obis): _published_number(register) for register in reading.numbers()}
    power = reading.get(POWER)
    if power is not None and power.value is not None:
        for half in halves(power):
            numbers.setdefault(key_of(half.obis), _published_number(half))
    return numbers


def units(reading: Reading) -> dict[str, str]:
    """Name -> unit in which the number is published, for numbers with a unit."""
    return {
        key_of(register.obis): _published_unit(register.unit.symbol)
        for register in reading.numbers()
        if register.unit is not None and register.unit.symbol
    }


def counters_of(numbers: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {key: value for key, value in numbers.items() if is_counter(key)}


def is_counter(key: str) -> bool:
    """By the register table, else by the OBIS code."""
    row = BY_KEY.get(key)
    return row.state_class in ("total", "total_increasing") if row else Obis.parse(key)[3] == _COUNTER


def describe_unnamed(key: str, unit: str) -> Description | None:
    """A register outside the table, by its OBIS code and published unit. None without a code or a unit."""
    obis = obis_of(key)
    if obis is None or not unit:
        return None
    device_class = next(
        (row.device_class for row in BY_KEY.values() if row.unit and published_unit(row.key) == unit), None
    )
    # Home Assistant allows the device class energy for totals only
    state_class = None if device_class == "energy" else "measurement"
    if is_counter(key):
        state_class = "total_increasing" if is_growing(Register(obis, 0)) else "total"
    return Description(obis, key, key, key, unit, device_class, state_class)


def obis_of(key: str) -> Obis | None:
    """The OBIS code of a register outside the table: its key in short form. None for any other key."""
    try:
        obis = Obis.parse(key)
    except ValueError:
        return None
    return obis if obis.short == key else None


def published_unit(key: str) -> str | None:
    """Of a register in the table."""
    unit = BY_KEY[key].unit
    return unit and _published_unit(unit)


def state_payload(sample: Sample, numbers: Mapping[str, Decimal]) -> bytes:
    """JSON of a current reading: meter, time and these numbers; of a gas meter also when it was read."""
    head: dict[str, object] = {
        "id": sample.reading.meter_id,
        "received_at": instant(sample.received_at),
        "fresh": True,
        "simulated": sample.simulated,
        "epoch": sample.epoch,
    }
    time = sample.reading.meter_time
    if sample.reading.channel and time and time.iso:
        head["read_at"] = time.iso
    return msgspec.json.encode(head | {key: number(value) for key, value in numbers.items()})


def energy_payload(sample: Sample, totals: PeriodTotals, tz: ZoneInfo) -> bytes:
    """JSON of the energy of today and of this month; without numbers where history does not say."""
    fields: dict[str, object] = {
        "id": sample.reading.meter_id,
        "received_at": instant(sample.received_at),
        "fresh": True,
        "simulated": sample.simulated,
        "today_begins": totals.span.today.astimezone(tz).isoformat(),
        "month_begins": totals.span.month.astimezone(tz).isoformat(),
    }
    fields |= {key: number(value) for key, value in totals.energy_kwh.items()}
    if totals.measured_since:
        fields["measured_since"] = {
            key: since.astimezone(tz).isoformat() for key, since in totals.measured_since.items()
        }
    return msgspec.json.encode(fields)


def silent_payload(sample: Sample | None) -> bytes:
    """JSON of a meter without a current reading: no number."""
    if sample is None:
        return msgspec.json.encode({"fresh": False})
    head: dict[str, str | bool | Raw] = {"id": sample.reading.meter_id, "last_seen": instant(sample.received_at)}
    return msgspec.json.encode(head | {"fresh": False, "simulated": sample.simulated})


def diagnostics(meter_id: str, status: Status, *, problem: bool | None, language: Language) -> Diagnostics:
    """The sentence is in the language of the entities."""
    facts, words = status.facts, status.advice.de if language == "de" else status.advice.en
    return Diagnostics(
        id=meter_id,
        simulated=status.simulated,
        source=status.source,
        port=status.port,
        ok=status.ok,
        problem=problem,
        failed_check=status.failed_check,
        sentence=str(words),
        locked=facts.locked,
        valid_ratio=None if facts.valid_ratio is None else round(facts.valid_ratio, 4),
        telegrams=facts.telegrams,
        faults=facts.faults | facts.unreadable,
        held_back=facts.quarantined,
        age_s=None if facts.age_s is None else round(facts.age_s, 3),
        stale_after_s=round(facts.stale_after_s, 3),
    )


def _published_number(register: Register) -> Decimal:
    _, power = _prefix(register.unit)
    return scaled(int(register.raw), (register.scaler or 0) - power)


def _published_unit(symbol: str) -> str:
    prefix, _ = _prefix(unit_named(symbol))
    return prefix + symbol


def _prefix(unit: Unit | None) -> tuple[str, int]:
    return _PREFIXES.get(unit, ("", 0)) if unit is not None else ("", 0)
