"""Our entities in Home Assistant, and what they have to show by the server's own answer over HTTP."""

import re
from decimal import Decimal
from typing import Any

from homeassistant import release
from homeassistant.forms import DOMAIN, issues
from homeassistant.home import IS_AWAY, Home
from homeassistant.instance import EVERY_S, NUMBER, HomeAssistant
from running import until

UNAVAILABLE = "unavailable"
# by platform
BY_REST, BY_MQTT, BY_OURS = "rest", "mqtt", DOMAIN
DIAGNOSTIC = ("fault", "locked", "problem", "signal_quality")
# what a meter has besides its registers
BESIDES = (*DIAGNOSTIC, "last_reading")
# the first in which a meter of the grid is one thing
ONE_METER = (2026, 3)
# the button of the server's device
BUTTON = "fill_gaps"

Shown = dict[str, Decimal | str]


def shown(assistant: HomeAssistant, way: str) -> Shown:
    """States by unique id."""
    states, entities = assistant.states(), assistant.entities(way)
    # one that is registered has its first state a moment later
    texts = {key: states[entity]["state"] for key, entity in entities.items() if entity in states}
    return {key: Decimal(text) if NUMBER.fullmatch(text) else text for key, text in texts.items()}


def registers(assistant: HomeAssistant, way: str = BY_MQTT) -> Shown:
    """What MQTT or our integration brought of meters, but for what is no register of theirs."""
    return {key: state for key, state in shown(assistant, way).items() if not key.endswith((*BESIDES, BUTTON))}


def ways(assistant: HomeAssistant) -> tuple[str, ...]:
    """That bring every register at once, without being asked."""
    return (BY_MQTT, BY_OURS) if assistant.has_ours else (BY_MQTT,)


def young(house: Home) -> list[HomeAssistant]:
    """Those that have our integration."""
    return [assistant for assistant in house.assistants if assistant.has_ours]


def has_repair(house: Home, key: str, within_s: float, *, is_there: bool = True) -> None:
    """Wait until every integration has an issue for the meter on the wall, or has none any more."""
    for assistant in young(house):
        until(lambda: (f"{key}_{house.meter.label}" in issues(assistant)) is is_there, within_s, EVERY_S)  # noqa: B023


def besides(assistant: HomeAssistant, house: Home, key: str) -> dict[str, Any]:
    """The state, with its attributes, of an entity that our integration has besides the registers of the meter."""
    return assistant.states()[assistant.entities(BY_OURS)[f"{house.meter.id}_{key}"]]


def complaints(assistant: HomeAssistant) -> list[str]:
    """But for those that a broker is away. RESTful sensors have theirs while the server is away."""
    entries = [entry for entry in assistant.complaints() if "mqtt" in entry or DOMAIN in entry]
    return [entry for entry in entries if not IS_AWAY.search(entry)]


def served(house: Home) -> dict[str, Decimal]:
    """The registers of the server's answer that are numbers."""
    meter = house.server.get(f"/api/v1/meters/{house.meter.id}").json(parse_float=Decimal, parse_int=Decimal)
    values = {one["name"]: one["value"] for one in meter.get("registers", ())}
    return {name: value for name, value in values.items() if isinstance(value, Decimal)}


def expected(house: Home, way: str) -> dict[str, Decimal]:
    """The same as MQTT or our integration has it, by unique id: energy in kWh; by MQTT also the two halves of power."""
    values = {name: value.scaleb(-3) if "energy" in name else value for name, value in served(house).items()}
    if way == BY_OURS:
        return {f"{house.meter.id}_{name}": value for name, value in values.items()}
    if "power" in values:
        values["power_import"], values["power_export"] = (
            max(values["power"], Decimal(0)),
            max(-values["power"], Decimal(0)),
        )
    return {unique_id(house, name): value for name, value in values.items()}


def published(house: Home) -> dict[str, Decimal]:
    return expected(house, BY_MQTT)


def unique_id(house: Home, name: str) -> str:
    """Of an entity by MQTT, of the meter that hangs on the wall."""
    return f"iskra_{house.meter.server_id}_{name}"


def unique_ids(*texts: str) -> set[str]:
    """Of the RESTful sensors in YAML."""
    return {found for text in texts for found in re.findall(r'unique_id: "(.+)"', text)}


def are_right(house: Home, within_s: float) -> None:
    """Wait until all show what the meter's display shows, and every other number that the server has."""
    total = unique_id(house, "energy_import")
    for assistant in house.assistants:
        for way in ways(assistant):
            until(lambda: published(house).get(total) == house.meter.kwh, within_s, EVERY_S)
            try:
                until(lambda: expected(house, way).items() <= registers(assistant, way).items(), within_s, EVERY_S)  # noqa: B023
            except AssertionError:
                raise AssertionError(
                    f"{assistant}: {registers(assistant, way)} is not {expected(house, way)}"
                ) from None


def are_unavailable(house: Home, within_s: float, *only: str) -> None:
    """Wait until no entity by these ways, or by any, shows a number."""
    for assistant in house.assistants:
        for way in only or ways(assistant):
            try:
                until(lambda: set(registers(assistant, way).values()) == {UNAVAILABLE}, within_s, EVERY_S)  # noqa: B023
            except AssertionError:
                raise AssertionError(f"{assistant}: {registers(assistant, way)}") from None


def numbers(assistant: HomeAssistant, entity: str) -> list[Decimal]:
    """Every number that it has ever shown."""
    return [Decimal(state) for state in assistant.past(entity) if NUMBER.fullmatch(state)]


def begun(assistant: HomeAssistant, entity: str) -> Decimal:
    return numbers(assistant, entity)[0]


def counted_from(assistant: HomeAssistant, entity: str) -> Decimal:
    """The first state that the statistics know.

    That is the first of all, but for an entity that came within ten seconds after a full five minutes: at the end of
    those, the statistics of the five minutes before are made, of the state that there is then.
    """
    rows = assistant.statistics(entity, "5minute")
    state, sum_ = rows[min(rows)]
    return begun(assistant, entity) if sum_ else state


def invalid(assistant: HomeAssistant) -> dict[str, Any]:
    """What Home Assistant says is wrong with its statistics, but for those of sensors that were removed on purpose."""
    states, found = assistant.states(), assistant.ask("recorder/validate_statistics")
    kinds = {statistic: [issue["type"] for issue in issues] for statistic, issues in found.items()}
    return {statistic: types for statistic, types in kinds.items() if types != ["no_state"] or statistic in states}


def grid(assistant: HomeAssistant, *imported: str, price: str | None = None) -> list[dict[str, object]]:
    """The grid with these consumptions, as the Energy dashboard's form saves it: from 2026.3 on each is a source."""
    cost = {"stat_cost": None, "entity_energy_price": price, "number_energy_price": None}
    flows: list[dict[str, object]] = [{"stat_energy_from": each, **cost} for each in imported]
    rest: dict[str, object] = {"type": "grid", "cost_adjustment_day": 0}
    if release.numbers(assistant.version) >= ONE_METER:
        return [rest | flow | {"stat_energy_to": None} for flow in flows]
    return [rest | {"flow_from": flows, "flow_to": []}]


def newest(sums: dict[int, Decimal]) -> Decimal:
    return sums[max(sums)]
