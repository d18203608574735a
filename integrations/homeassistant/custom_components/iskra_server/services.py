"""The service fill_gaps, for administrators: write the hours that the statistics miss, from the server's history."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.recorder import Recorder, get_instance  # type: ignore[attr-defined,unused-ignore]
from homeassistant.components.recorder.models import StatisticMetaData
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .client import ClientError, NotFoundError
from .const import DOMAIN
from .filling import Filling, Values, fill_energy, fill_power
from .gaps import ENERGY_UNITS, HOUR_S, Disagreement, plain
from .recorded import POWER_KEYS, POWER_UNITS
from .schema import vol
from .wording import async_exceptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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


@dataclass(frozen=True, slots=True)
class Request:
    """What to fill: all sensors if `entities` is empty, and gaps that reach into the period."""

    entities: frozenset[str] = frozenset()
    begin: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    end: datetime = datetime(2999, 1, 1, tzinfo=UTC)
    is_dry: bool = False
    may_correct: bool = False


@dataclass(slots=True)
class _Behind(RecorderTask):
    """Runs when the recorder has ended, and committed, what was queued before.

    `Recorder.async_block_till_done` does not wait for the last task of the queue once the recorder has begun it.
    """

    done: asyncio.Event

    def run(self, instance: Recorder) -> None:
        instance.hass.loop.call_soon_threadsafe(self.done.set)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Called once, when Home Assistant sets the integration up."""

    async def fill_gaps(call: ServiceCall) -> ServiceResponse:
        await async_check_administrator(hass, call.context)
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


async def async_check_administrator(hass: HomeAssistant, context: Context | None) -> None:
    """Raises Unauthorized for another user; an automation has none."""
    if context and context.user_id:
        user = await hass.auth.async_get_user(context.user_id)
        if user is None or not user.is_admin:
            raise Unauthorized(context=context)


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
    sentences = await async_exceptions(hass)
    span = int(request.begin.timestamp()), int(request.end.timestamp())
    for entity_id, about in metadata.items():
        meter, _, key = sensors[entity_id].partition("_")
        unit = about["statistics_unit_of_measurement"]
        is_energy = unit in ENERGY_UNITS and about["has_sum"]
        if not is_energy and not (unit in POWER_UNITS and key in POWER_KEYS):
            continue
        held = await _held(hass, entity_id, unit, "energy" if is_energy else "power")
        inside = [at for at in held if span[0] - HOUR_S <= at <= span[1]]
        if not inside:
            continue
        answers = await _counters(entry, meter, inside[0] - HOUR_S, inside[-1] + 2 * HOUR_S, known)
        if is_energy:
            filling = fill_energy(key, unit, held, answers, span, may_correct=request.may_correct)
        else:
            filling = fill_power(key, unit, held, answers, span)
        if filling.new and not request.is_dry:
            await _write(hass, about, filling)
        left = list(_left(filling, unit, sentences))
        if filling.new or left:
            outcomes[entity_id] = {"hours": list(_hours(filling, held)), "left": left}
    return outcomes


def _hours(filling: Filling, held: Mapping[int, Values]) -> Iterator[dict[str, Any]]:
    """Each hour with its values now and then, as JSON."""
    for start_s, row in sorted(filling.new.items()):
        before = held.get(start_s)
        yield {
            "start": _moment(start_s).isoformat(),
            "before": before and {name: float(value) for name, value in before.items()},
            "after": {name: float(value) for name, value in row.items()},
        }


def _left(filling: Filling, unit: str, sentences: Mapping[str, str]) -> Iterator[str]:
    """Why a gap is left as it is, in the language of Home Assistant."""
    for refusal in filling.refusals:
        yield _sentence(refusal, unit, sentences)
    for start_s, amount in filling.replaced.items():
        key = "gap_counted_less" if amount > 0 else "gap_counted_more"
        yield sentences[key].format(hour=_local(start_s), amount=f"{plain(abs(amount))} {unit}", option=_CORRECT_SUM)


def _sentence(refusal: Disagreement, unit: str, sentences: Mapping[str, str]) -> str:
    ours, theirs = (f"{plain(value)} {unit}" for value in (refusal.meter, refusal.home_assistant))
    key = "gap_state" if refusal.kind == "state" else "gap_counted"
    return sentences[key].format(hour=_local(refusal.start_s), home_assistant=theirs, meter=ours)


def _local(start_s: int) -> str:
    return dt_util.as_local(_moment(start_s)).strftime("%Y-%m-%d %H:%M %Z")


async def _held(hass: HomeAssistant, entity_id: str, unit: str, unit_class: str) -> dict[int, Values]:
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
    return {int(row["start"]): _values(row) for row in rows}


def _values(row: Mapping[str, Any]) -> Values:
    return {name: _exact(row[name]) for name in _VALUES if row.get(name) is not None}


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


async def _write(hass: HomeAssistant, about: dict[str, Any], filling: Filling) -> None:
    """Queue it at the recorder, and wait until that has done it."""
    unit = about["statistics_unit_of_measurement"]
    recorder = get_instance(hass)
    for start_s, amount in filling.corrections.items():
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
    async_import_statistics(hass, metadata, list(_as_statistics(filling.new)))  # type: ignore[arg-type]
    done = asyncio.Event()
    recorder.queue_task(_Behind(done))
    await done.wait()


def _as_statistics(rows: Mapping[int, Values]) -> Iterable[Any]:
    for start_s, row in sorted(rows.items()):
        values: dict[str, Any] = {"start": _moment(start_s)} | {name: float(value) for name, value in row.items()}
        if "last_reset" in values:
            values["last_reset"] = datetime.fromtimestamp(values["last_reset"], UTC)
        yield values


def _exact(value: float) -> Decimal:
    """The digits of a number as everybody else sees it."""
    return Decimal(repr(float(value)))


def _moment(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)
