"""What is published of a meter: its numbers by name, exact, energy in kWh (kvarh, kVAh), the rest in the meter's unit.

Power has three names: `power` is signed (+ import, - export), `power_import` and `power_export` are its two positive
halves. A meter sends either; the other is derived, which costs no digit.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from iskra_server.diagnosis.chain import Status
from iskra_server.meter.exact import instant, number
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample, scaled
from iskra_server.meter.registers import BY_KEY, describe, key_of

POWER, POWER_IMPORT, POWER_EXPORT = "power", "power_import", "power_export"
_KILO = 3
_ENERGY = frozenset(("Wh", "varh", "VAh"))
_COUNTER = 8
_ZERO = Decimal(0)


class Diagnostics(Struct, frozen=True):
    """`share_good` is the share of telegrams that arrive whole, 0..1; `broken` the first broken link, or None."""

    id: str
    simulated: bool
    source: str
    port: str
    ok: bool
    broken: str | None
    sentence: str
    locked: bool | None
    share_good: float | None
    telegrams: int
    faults: dict[str, int]
    held_back: int
    age_s: float | None
    stale_after_s: float


def values(reading: Reading) -> dict[str, Decimal]:
    """Every number of a telegram by its name, in the order of the wire, and the powers that follow from it."""
    found: dict[str, Decimal] = {}
    for register in reading.registers:
        if not isinstance(register.raw, (bytes, bool)):
            found.setdefault(key_of(register.obis), _published(register, register.raw))
    _add_powers(found)
    return found


def counters(numbers: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Those that count up."""
    return {key: value for key, value in numbers.items() if is_counter(key)}


def is_counter(key: str) -> bool:
    """Whether a name is that of a counter; one outside the register table tells by its code."""
    row = BY_KEY.get(key)
    return row.state_class in ("total", "total_increasing") if row else Obis.parse(key)[3] == _COUNTER


def unit_of(key: str) -> str | None:
    """The unit in which a register of the table is published."""
    unit = BY_KEY[key].unit
    return f"k{unit}" if unit in _ENERGY else unit


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
        broken=status.broken,
        sentence=status.sentence,
        locked=facts.locked,
        share_good=None if facts.share_good is None else round(facts.share_good, 4),
        telegrams=facts.telegrams,
        faults=facts.faults,
        held_back=facts.quarantined,
        age_s=None if facts.age_s is None else round(facts.age_s, 3),
        stale_after_s=round(facts.stale_after_s, 3),
    )


def _published(register: Register, raw: int) -> Decimal:
    scaler = register.scaler or 0
    unit = register.unit.symbol if register.unit is not None else _unit(register.obis)
    return scaled(raw, scaler - _KILO if unit in _ENERGY else scaler)


# a meter sends the same codes telegram after telegram
@lru_cache(maxsize=256)
def _unit(obis: Obis) -> str | None:
    row = describe(obis)
    return row.unit if row else None


def _add_powers(found: dict[str, Decimal]) -> None:
    net, drawn, fed = found.get(POWER), found.get(POWER_IMPORT), found.get(POWER_EXPORT)
    if net is not None:
        found.setdefault(POWER_IMPORT, max(net, _ZERO))
        found.setdefault(POWER_EXPORT, max(-net, _ZERO))
    elif drawn is not None and fed is not None:
        found[POWER] = drawn - fed
