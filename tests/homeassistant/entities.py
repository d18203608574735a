"""Our entities in Home Assistant, and what they have to show by the server's own answer over HTTP."""

import re
from decimal import Decimal

from homeassistant.home import IS_AWAY, Home
from homeassistant.instance import EVERY_S, NUMBER, HomeAssistant
from running import until

UNAVAILABLE = "unavailable"
BY_REST = ("1isk", "iskra_electricity", "iskra_pinned")
BY_MQTT = ("iskra_09",)
DIAGNOSTIC = ("signal_quality", "locked")

Shown = dict[str, Decimal | str]


def shown(assistant: HomeAssistant, beginnings: tuple[str, ...]) -> Shown:
    """States by unique id."""
    states, entities = assistant.states(), assistant.entities()
    # one that is registered has its first state a moment later
    ours = {key: entity for key, entity in entities.items() if key.startswith(beginnings) and entity in states}
    texts = {key: states[entity]["state"] for key, entity in ours.items()}
    return {key: Decimal(text) if NUMBER.fullmatch(text) else text for key, text in texts.items()}


def registers(assistant: HomeAssistant) -> Shown:
    """What MQTT brought of meters, but for what is diagnostic."""
    return {key: state for key, state in shown(assistant, BY_MQTT).items() if not key.endswith(DIAGNOSTIC)}


def complaints_of_mqtt(assistant: HomeAssistant) -> list[str]:
    """But for those that a broker is away. RESTful sensors have theirs while the server is away."""
    return [entry for entry in assistant.complaints() if "mqtt" in entry and not IS_AWAY.search(entry)]


def served(house: Home) -> dict[str, Decimal]:
    """The registers of the server's answer that are numbers."""
    meter = house.server.get(f"/api/v1/meters/{house.meter.id}").json(parse_float=Decimal, parse_int=Decimal)
    values = {one["name"]: one["value"] for one in meter.get("registers", ())}
    return {name: value for name, value in values.items() if isinstance(value, Decimal)}


def published(house: Home) -> dict[str, Decimal]:
    """The same as MQTT has it, by unique id: energy in kWh, and the two halves of power."""
    values = {name: value.scaleb(-3) if "energy" in name else value for name, value in served(house).items()}
    if "power" in values:
        values["power_import"], values["power_export"] = (
            max(values["power"], Decimal(0)),
            max(-values["power"], Decimal(0)),
        )
    return {unique_id(house, name): value for name, value in values.items()}


def unique_id(house: Home, name: str) -> str:
    """Of an entity by MQTT, of the meter that hangs on the wall."""
    return f"iskra_{house.meter.server_id}_{name}"


def unique_ids(*texts: str) -> set[str]:
    """Of the RESTful sensors in YAML."""
    return {found for text in texts for found in re.findall(r'unique_id: "(.+)"', text)}


def are_right(house: Home, within_s: float) -> None:
    """Wait until MQTT shows everywhere what the meter's display shows, and every other number that the server has."""
    total = unique_id(house, "energy_import")
    for assistant in house.assistants:
        until(lambda: published(house).get(total) == house.meter.kwh, within_s, EVERY_S)
        try:
            until(lambda: published(house).items() <= registers(assistant).items(), within_s, EVERY_S)  # noqa: B023
        except AssertionError:
            raise AssertionError(f"{assistant}: {registers(assistant)} is not {published(house)}") from None


def are_unavailable(house: Home, within_s: float) -> None:
    """Wait until no entity by MQTT shows a number."""
    for assistant in house.assistants:
        try:
            until(lambda: set(registers(assistant).values()) == {UNAVAILABLE}, within_s, EVERY_S)  # noqa: B023
        except AssertionError:
            raise AssertionError(f"{assistant}: {registers(assistant)}") from None
