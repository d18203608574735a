"""The service fill_gaps: write the hours that the statistics miss, from what the server has recorded of the meter."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import voluptuous as vol
from homeassistant.components.recorder import get_instance  # type: ignore[attr-defined,unused-ignore]
from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .client import ClientError, NotFoundError
from .const import DOMAIN
from .gaps import (
    ENERGY_UNITS,
    HOUR_S,
    POWER_UNITS,
    Counter,
    EnergyRow,
    PowerRange,
    corrected_rows,
    gaps,
    otherwise,
    power_gaps,
    quarters_of,
    readings_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .coordinator import IskraConfigEntry

FILL_GAPS: Final = "fill_gaps"
_BEGIN, _END, _DRY_RUN, _CORRECT_SUM, _ENTITY = "begin", "end", "dry_run", "correct_sum", "entity_id"
_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(_ENTITY): cv.entity_ids,
        vol.Optional(_BEGIN): cv.datetime,
        vol.Optional(_END): cv.datetime,
        vol.Optional(_DRY_RUN, default=False): cv.boolean,
        vol.Optional(_CORRECT_SUM, default=False): cv.boolean,
    }
)
# what is asked of the server at once
_PART_S: Final = 90 * 86_400
# two runs at the same time would correct the same sum twice
_ONE_RUN: Final = asyncio.Lock()
_VALUES: Final = ("state", "sum", "last_reset", "mean", "min", "max")
# since 2025.11 the form of the metadata is another one
_HAS_UNIT_CLASS: Final = "unit_class" in StatisticMetaData.__annotations__
_POWER_KEYS: Final = ("power", "power_import", "power_export")


@dataclass(frozen=True, slots=True)
class Request:
    """What to fill: all sensors if `entities` is empty, and gaps that reach into the period."""

    entities: frozenset[str] = frozenset()
    begin: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    end: datetime = datetime(2999, 1, 1, tzinfo=UTC)
    is_dry: bool = False
    may_correct: bool = False


@dataclass(slots=True)
class Outcome:
    """For one sensor: `rows` to write by the beginning of their hour, what they are now, and what is left alone."""

    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    held: dict[int, dict[str, Any]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    corrections: dict[int, Decimal] = field(default_factory=dict)

    def as_response(self) -> dict[str, Any]:
        return {
            "hours": [
                {"start": _moment(start_s).isoformat(), "before": self.held.get(start_s), "after": row}
                for start_s, row in sorted(self.rows.items())
            ],
            "left": self.left,
        }


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Called once, when Home Assistant sets the integration up."""

    async def fill_gaps(call: ServiceCall) -> ServiceResponse:
        request = Request(
            frozenset(call.data.get(_ENTITY, ())),
            is_dry=call.data[_DRY_RUN],
            may_correct=call.data[_CORRECT_SUM],
            # without an offset it is local time
            **{name: dt_util.as_utc(call.data[name]) for name in (_BEGIN, _END) if name in call.data},
        )
        entries = [
            entry for entry in hass.config_entries.async_entries(DOMAIN) if entry.state is ConfigEntryState.LOADED
        ]
        if not entries:
            raise ServiceValidationError("not loaded", translation_domain=DOMAIN, translation_key="gaps_no_server")
        outcomes: dict[str, Any] = {}
        for entry in entries:
            outcomes |= await async_fill_gaps(hass, entry, request)
        return {"sensors": outcomes}

    hass.services.async_register(DOMAIN, FILL_GAPS, fill_gaps, _SCHEMA, SupportsResponse.OPTIONAL)


async def async_fill_gaps(hass: HomeAssistant, entry: IskraConfigEntry, request: Request) -> dict[str, Any]:
    """What was written, or would be, by sensor. Raises HomeAssistantError."""
    async with _ONE_RUN:
        return await _fill_gaps(hass, entry, request)


async def _fill_gaps(hass: HomeAssistant, entry: IskraConfigEntry, request: Request) -> dict[str, Any]:
    sensors = {
        each.entity_id: each.unique_id
        for each in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if each.domain == "sensor" and (not request.entities or each.entity_id in request.entities)
    }
    metadata = {
        each["statistic_id"]: each
        for each in await get_instance(hass).async_add_executor_job(list_statistic_ids, hass, set(sensors))
    }
    known: dict[tuple[str, int], dict[str, Any]] = {}
    outcomes: dict[str, Any] = {}
    for entity_id, about in metadata.items():
        meter, _, key = sensors[entity_id].partition("_")
        unit = about["statistics_unit_of_measurement"]
        is_energy = unit in ENERGY_UNITS and about["has_sum"]
        if not is_energy and not (unit in POWER_UNITS and key in _POWER_KEYS):
            continue
        held = await _held(hass, entity_id, unit, "energy" if is_energy else "power")
        inside = [at for at in held if request.begin.timestamp() - HOUR_S <= at <= request.end.timestamp()]
        if not inside:
            continue
        answers = await _counters(entry, meter, inside[0] - HOUR_S, inside[-1] + 2 * HOUR_S, known)
        outcome = (_energy if is_energy else _power)(answers, key, unit, held, request)
        if outcome.rows and not request.is_dry:
            await _write(hass, about, outcome)
        if outcome.rows or outcome.left:
            outcomes[entity_id] = outcome.as_response()
    return outcomes


def _energy(
    answers: Sequence[dict[str, Any]], key: str, unit: str, held: dict[int, dict[str, Any]], request: Request
) -> Outcome:
    readings = readings_of(answers, key, unit)
    rows = [
        EnergyRow(at, _exact(row["state"]), _exact(row["sum"]))
        for at, row in held.items()
        if row.get("state") is not None and row.get("sum") is not None
    ]
    outcome = Outcome(held=held)
    found, refused = gaps(rows, Counter(readings, unit)) if readings else ([], [])
    outcome.left += [each.sentence(unit) for each in refused if _is_inside(request, each.start_s, each.start_s)]
    filled = []
    for gap in found:
        if not _is_inside(request, gap.before.start_s, gap.after.end_s):
            continue
        if gap.correction and not request.may_correct:
            outcome.left.append(
                f"The meter was replaced, or its counter restarted, in the gap before "
                f"{_moment(gap.after.start_s):%Y-%m-%d %H:%M} UTC, and Home Assistant has counted "
                f"{otherwise(gap.correction, unit)}; {_CORRECT_SUM} fills it."
            )
            continue
        filled.append(gap)
        if gap.correction:
            outcome.corrections[gap.after.start_s] = gap.correction
    outcome.rows = {row.start_s: {"state": float(row.state), "sum": float(row.sum)} for row in corrected_rows(filled)}
    for gap in filled:
        if (reset := held[gap.before.start_s].get("last_reset")) is not None:
            for row in gap.rows:
                outcome.rows[row.start_s]["last_reset"] = reset
    return outcome


def _power(
    answers: Sequence[dict[str, Any]], key: str, unit: str, held: dict[int, dict[str, Any]], request: Request
) -> Outcome:
    rows = [
        PowerRange(at, _exact(row["min"]), _exact(row["mean"]), _exact(row["max"]))
        for at, row in held.items()
        if row.get("mean") is not None
    ]
    outcome = Outcome(held=held)
    for row in power_gaps(rows, quarters_of(answers, key, unit)):
        if _is_inside(request, row.start_s, row.start_s):
            outcome.rows[row.start_s] = {"min": float(row.min), "mean": float(row.mean), "max": float(row.max)}
    return outcome


async def _held(hass: HomeAssistant, entity_id: str, unit: str, unit_class: str) -> dict[int, dict[str, Any]]:
    """All hours of a sensor, by their beginning in Unix seconds, in order."""
    read = partial(
        statistics_during_period,
        hass,
        datetime(1970, 1, 1, tzinfo=UTC),
        None,
        {entity_id},
        "hour",
        {unit_class: unit},
        set(_VALUES),
    )
    rows = (await get_instance(hass).async_add_executor_job(read)).get(entity_id, [])
    return {int(row["start"]): {name: row[name] for name in _VALUES if name in row} for row in rows}


async def _counters(
    entry: IskraConfigEntry, meter: str, begin_s: int, end_s: int, known: dict[tuple[str, int], dict[str, Any]]
) -> list[dict[str, Any]]:
    """The parts of a period as the server has recorded them; none if it does not know the meter.

    `known` keeps them, by meter and begin: several sensors show the same meter, each with a period of its own.
    """
    client = entry.runtime_data.client
    parts = range(begin_s // _PART_S * _PART_S, min(end_s, int(time.time())), _PART_S)
    try:
        for part_s in parts:
            if (meter, part_s) not in known:
                begin, end = (f"{_moment(second):%Y-%m-%dT%H:%M:%SZ}" for second in (part_s, part_s + _PART_S))
                period = {"from": begin, "to": end, "tz": "UTC"}
                known[meter, part_s] = await client.get(f"/api/v1/meters/{meter}/counters", **period)
    except NotFoundError:
        return []
    except ClientError as error:
        raise HomeAssistantError(
            str(error),
            translation_domain=DOMAIN,
            translation_key=error.key,
            translation_placeholders={"server": str(client.url), "reason": str(error)},
        ) from error
    return [known[meter, part_s] for part_s in parts]


async def _write(hass: HomeAssistant, about: dict[str, Any], outcome: Outcome) -> None:
    """Queue it at the recorder, and wait until that has done it."""
    unit = about["statistics_unit_of_measurement"]
    recorder = get_instance(hass)
    for start_s, amount in outcome.corrections.items():
        recorder.async_adjust_statistics(about["statistic_id"], _moment(start_s), float(amount), unit)
    metadata: dict[str, Any] = {
        "has_sum": about["has_sum"],
        "name": about["name"],
        "source": about["source"],
        "statistic_id": about["statistic_id"],
        "unit_of_measurement": unit,
    }
    if _HAS_UNIT_CLASS:
        metadata |= {"mean_type": about["mean_type"], "unit_class": about["unit_class"]}
    else:
        metadata["has_mean"] = not about["has_sum"]
    async_import_statistics(hass, metadata, list(_as_statistics(outcome.rows)))  # type: ignore[arg-type]
    await recorder.async_block_till_done()


def _as_statistics(rows: dict[int, dict[str, float]]) -> Iterable[Any]:
    for start_s, row in sorted(rows.items()):
        values: dict[str, Any] = {"start": _moment(start_s), **row}
        if "last_reset" in values:
            values["last_reset"] = datetime.fromtimestamp(values["last_reset"], UTC)
        yield values


def _is_inside(request: Request, begin_s: int, end_s: int) -> bool:
    return begin_s < request.end.timestamp() and end_s >= request.begin.timestamp()


def _exact(value: float) -> Decimal:
    """The digits of a number as everybody else sees it."""
    return Decimal(repr(float(value)))


def _moment(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)
