"""What the server tells: meters with their registers, and the diagnosis of every source. Pure; numbers are exact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

Json = Mapping[str, Any]
# of a counter in the smallest unit; more would fill the memory with zeros
_MAX_DIGITS = 40
# unit of the server -> unit that is shown, and its power of ten
_SHOWN_UNITS = {"Wh": ("kWh", 3), "varh": ("kvarh", 3), "VAh": ("kVAh", 3), "J": ("GJ", 9)}
_POWER, _HALVES = "power", (("power_import", 1), ("power_export", -1))


# what `decode` and the functions below raise for an answer in another form, such as that of another version
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


def decode(text: str | bytes) -> Any:
    """JSON; numbers with a point are Decimals, so that no digit changes. Raises ValueError or RecursionError."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


@dataclass(frozen=True, slots=True)
class MeterRegister:
    """One register. `state` has every digit of the meter, in `unit`; `places` is None where it is no number.

    `read_at` is the meter's own time of the value, such as that of a gas meter's last reading.
    """

    name: str
    obis: str
    label: str
    label_de: str
    state: str
    unit: str | None
    places: int | None
    read_at: str | None = None

    @property
    def is_number(self) -> bool:
        return self.places is not None


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter at the moment of an answer or event, `age_s` after its telegram. Without a current reading: no register.

    `locked` is None where the meter does not tell.
    """

    id: str
    medium: str
    server_id: str | None
    maker: str | None
    family: str | None
    source: str
    simulated: bool
    locked: bool | None
    epoch: int
    age_s: float
    stale_after_s: float
    last_seen: datetime | None
    is_sub_meter: bool
    registers: Mapping[str, MeterRegister]


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence and the next step in one language."""

    sentence: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Source:
    """The diagnosis of a source: `ok` if current values arrive; `fault` is the key of `words`, "well" without one.

    `sub_meters`: ids of the meters whose readings its meter sends with its own.
    """

    name: str
    meter_id: str | None
    sub_meters: tuple[str, ...]
    meter_name: str
    ok: bool
    failed_checks: tuple[str, ...]
    fault: str
    words: Mapping[str, Words]
    valid_ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class Server:
    """`failures`: why something is not written or sent, empty if all is well. `virtual`: ids of its virtual meters."""

    id: str | None
    version: str
    sources: tuple[Source, ...]
    failures: tuple[str, ...]
    virtual: tuple[str, ...] = ()

    @property
    def meter_ids(self) -> set[str | None]:
        """The meters that its sources read now, and those that it computes from them."""
        return {name for source in self.sources for name in (source.meter_id, *source.sub_meters)} | set(self.virtual)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that the server tells at one moment."""

    server: Server
    meters: tuple[Meter, ...]

    @property
    def present(self) -> list[Meter]:
        """The meters that a source reads; a server also remembers one that was replaced, until it is restarted."""
        return [meter for meter in self.meters if meter.registers or meter.id in self.server.meter_ids]


def meter_from(data: Json) -> Meter:
    """Raises UNREADABLE for what is not a meter."""
    registers = [register_from(item) for item in data["registers"]]
    seen = data.get("received_at") or data.get("last_seen")
    return Meter(
        id=data["id"],
        medium=data["medium"],
        server_id=data.get("server_id"),
        maker=data.get("maker"),
        family=data.get("family"),
        source=data["source"],
        simulated=bool(data["simulated"]),
        locked=data.get("locked"),
        epoch=int(data["epoch"]),
        age_s=float(data.get("measured_age_s") or data.get("age_s") or 0),
        stale_after_s=float(data["stale_after_s"]),
        last_seen=datetime.fromisoformat(seen) if seen else None,
        is_sub_meter="channel" in data,
        registers=_with_halves({register.name: register for register in registers}),
    )


def meters_from(data: Json) -> list[Meter]:
    """Of /api/v1/meters."""
    return [meter_from(item) for item in data["meters"]]


def register_from(data: Json) -> MeterRegister:
    """Energy in kWh, kvarh or kVAh, heat also in GJ, the rest in the meter's unit."""
    value, unit = data["value"], data.get("unit")
    state, places = str(data.get("text") or value), None
    if isinstance(value, bool):
        state = "on" if value else "off"
    elif isinstance(value, (int, Decimal)):
        unit, power = _SHOWN_UNITS.get(unit or "", (unit, 0))
        number = Decimal(value).scaleb(-power)
        if abs(number.adjusted()) > _MAX_DIGITS:
            raise ValueError("a number of too many digits")
        if resolution := data.get("resolution"):
            # a meter that counts whole kWh has no digits of Wh
            number = number.quantize(Decimal(resolution).scaleb(-power).normalize())
        state, places = _text(number)
    return MeterRegister(
        name=data["name"],
        obis=data["obis"],
        label=data["label"],
        label_de=data["label_de"],
        state=state,
        unit=unit,
        places=places,
        read_at=data.get("time"),
    )


def _text(number: Decimal) -> tuple[str, int]:
    """Plain digits, never 0E-7, and the number of decimal places."""
    text = format(number, "f")
    return text, len(text.partition(".")[2])


def _with_halves(registers: dict[str, MeterRegister]) -> dict[str, MeterRegister]:
    """Also power_import and power_export, never below 0, of a meter that sends one power with a sign."""
    power = registers.get(_POWER)
    if power is None or not power.is_number:
        return registers
    halves, net = {}, Decimal(power.state)
    for name, sign in _HALVES:
        # net * 0 has the decimal places of net
        state, places = _text(abs(net) if sign * net > 0 else abs(net * 0))
        halves[name] = MeterRegister(name, power.obis, name, name, state, power.unit, places)
    return {**halves, **registers}


def server_from(data: Json) -> Server:
    """Of /api/v1/status or a status event. Raises UNREADABLE for anything else."""
    identity = data.get("server") or {}
    failures = (data["history"], *(output["sentence"] for output in data["outputs"] if not output["ok"]))
    return Server(
        id=identity.get("id"),
        version=identity.get("version", ""),
        sources=tuple(_source_from(item) for item in data["meters"]),
        failures=tuple(filter(None, failures)),
        virtual=tuple(item["id"] for item in data.get("virtual", ())),
    )


def _source_from(data: Json) -> Source:
    advice, ratio, facts = data["advice"], data.get("valid_ratio"), data.get("facts", {})
    return Source(
        name=data["source"],
        meter_id=data.get("meter_id"),
        sub_meters=tuple(facts.get("sub_meters", ())),
        meter_name=facts.get("name", ""),
        ok=bool(data["ok"]),
        failed_checks=tuple(check["name"] for check in data["checks"] if check["state"] == "failed"),
        fault=advice["fault"],
        words={key: Words(advice[key]["sentence"], advice[key]["next_step"]) for key in ("en", "de")},
        valid_ratio=None if ratio is None else Decimal(ratio),
    )
