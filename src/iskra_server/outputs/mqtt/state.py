"""What is published of a meter: its numbers by name, exact, energy in kWh (kvarh, kVAh), the rest in the meter's unit.

Power has three names: `power` is signed (+ import, - export), `power_import` and `power_export` are its two halves,
never below 0. A meter that sends the halves itself keeps them.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec
from msgspec import Raw, Struct

from iskra_server.base.json_values import instant, number
from iskra_server.diagnosis.status import Status
from iskra_server.meter.guard import is_counter as is_growing
from iskra_server.meter.obis import Obis
from iskra_server.meter.power import POWER, halves
from iskra_server.meter.reading import Reading, Register, Sample, scaled
from iskra_server.meter.registers import BY_KEY, Description, key_of
from iskra_server.meter.units import ENERGIES, unit_named

_KILO = 3
_COUNTER = 8


class Diagnostics(Struct, frozen=True):
    """`valid_ratio` is the share of valid telegrams, 0..1; `failed_check` the first check that fails, or None."""

    id: str
    simulated: bool
    source: str
    port: str
    ok: bool
    failed_check: str | None
    sentence: str
    locked: bool | None
    valid_ratio: float | None
    telegrams: int
    faults: dict[str, int]
    held_back: int
    age_s: float | None
    stale_after_s: float


def values(reading: Reading) -> dict[str, Decimal]:
    """Every number of a record by its name, in the order of the wire, and the two halves of its power."""
    found = {key_of(register.obis): _published(register) for register in reading.numbers()}
    power = reading.get(POWER)
    if power is not None and power.value is not None:
        for half in halves(power):
            found.setdefault(key_of(half.obis), _published(half))
    return found


def units(reading: Reading) -> dict[str, str]:
    """The unit in which each number of a record is published, by name; a number without a unit is left out."""
    return {
        key_of(register.obis): _published_unit(register.unit.symbol)
        for register in reading.numbers()
        if register.unit is not None and register.unit.symbol
    }


def counters(numbers: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Those that count up."""
    return {key: value for key, value in numbers.items() if is_counter(key)}


def is_counter(key: str) -> bool:
    """Whether a name is that of a counter; one outside the register table tells by its code."""
    row = BY_KEY.get(key)
    return row.state_class in ("total", "total_increasing") if row else Obis.parse(key)[3] == _COUNTER


def described(key: str, unit: str) -> Description | None:
    """What is known of a register outside the table, by its code and the unit that it is published in."""
    obis = code(key)
    if obis is None or not unit:
        return None
    device_class = next((row.device_class for row in BY_KEY.values() if row.unit and unit_of(row.key) == unit), None)
    # for Home Assistant an energy is a total or nothing
    state_class = None if device_class == "energy" else "measurement"
    if is_counter(key):
        state_class = "total_increasing" if is_growing(Register(obis, 0)) else "total"
    return Description(obis, key, key, key, unit, device_class, state_class)


def code(key: str) -> Obis | None:
    """The OBIS code that a name outside the register table is, or None."""
    try:
        obis = Obis.parse(key)
    except ValueError:
        return None
    return obis if obis.short == key else None


def unit_of(key: str) -> str | None:
    """The unit in which a register of the table is published."""
    unit = BY_KEY[key].unit
    return unit and _published_unit(unit)


def state(sample: Sample, numbers: Mapping[str, Decimal]) -> bytes:
    """The JSON of a fresh reading: who, when, and some of its numbers."""
    head = {
        "id": sample.reading.meter_id,
        "received_at": instant(sample.received_at),
        "fresh": True,
        "simulated": sample.simulated,
        "epoch": sample.epoch,
    }
    return msgspec.json.encode(head | {key: number(value) for key, value in numbers.items()})


def silent(sample: Sample | None) -> bytes:
    """The JSON of a meter without a fresh reading: no number."""
    if sample is None:
        return msgspec.json.encode({"fresh": False})
    head: dict[str, str | bool | Raw] = {"id": sample.reading.meter_id, "last_seen": instant(sample.received_at)}
    return msgspec.json.encode(head | {"fresh": False, "simulated": sample.simulated})


def diagnostics(meter_id: str, status: Status) -> Diagnostics:
    facts = status.facts
    return Diagnostics(
        id=meter_id,
        simulated=status.simulated,
        source=status.source,
        port=status.port,
        ok=status.ok,
        failed_check=status.failed_check,
        sentence=status.sentence,
        locked=facts.locked,
        valid_ratio=None if facts.valid_ratio is None else round(facts.valid_ratio, 4),
        telegrams=facts.telegrams,
        faults=facts.faults,
        held_back=facts.quarantined,
        age_s=None if facts.age_s is None else round(facts.age_s, 3),
        stale_after_s=round(facts.stale_after_s, 3),
    )


def _published(register: Register) -> Decimal:
    scaler = register.scaler or 0
    return scaled(int(register.raw), scaler - _KILO if register.unit in ENERGIES else scaler)


def _published_unit(symbol: str) -> str:
    return f"k{symbol}" if unit_named(symbol) in ENERGIES else symbol
