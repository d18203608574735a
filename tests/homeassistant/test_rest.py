"""The RESTful sensors in the real Home Assistant, which was started before the server: phase after phase.

Every test leaves the home as it found it: the server runs, the meter is read, and each Home Assistant shows it.
"""

import re
from decimal import Decimal

import pytest
import yaml

from homeassistant import release
from homeassistant.entities import BY_OURS, BY_REST, UNAVAILABLE, are_right, served, shown, unique_ids
from homeassistant.home import OLD_METER, PINNED, STALE_AFTER_S, Home
from homeassistant.instance import EVERY_S, HomeAssistant
from homeassistant.meter import LOCKED, UNLOCKED
from running import until
from test_docs import DOCS, ROOT, blocks

# the time between two requests, and some for an answer on a busy machine
SOON_S = 120.0


@pytest.mark.parametrize("wanted", release.wanted(), ids=lambda wanted: wanted.version)
def test_every_release_is_there(house: Home, wanted: release.Release) -> None:
    if reason := release.missing(wanted):
        pytest.skip(reason)
    assert wanted.version in [assistant.get("/api/config")["version"] for assistant in house.assistants]


def test_what_the_command_prints_loads_without_a_word(house: Home) -> None:
    printed = house.printed()
    for block in (*blocks(DOCS / "home-assistant.md", "yaml"), *blocks(ROOT / "README.md", "yaml")):
        assert sensors(block) <= sensors(printed)
    # the same but for the pace
    often = [text.replace("scan_interval: 10\n", "scan_interval: 1\n") for text in (printed, pinned_yaml())]
    house.everywhere(lambda assistant: loads(assistant, *often))
    house.shows(house.meter.kwh, SOON_S)
    for assistant in house.assistants:
        until(lambda: shown(assistant, BY_REST).keys() >= unique_ids(printed), SOON_S, EVERY_S)  # noqa: B023


def test_states_are_the_digits_of_the_answer(house: Home) -> None:
    house.meter.imported += 11
    house.meter.exported += 3
    house.shows(house.meter.kwh, SOON_S)
    for assistant in house.assistants:
        until(lambda: answered(house).items() <= shown(assistant, BY_REST).items(), SOON_S, EVERY_S)  # noqa: B023
    assert len(answered(house)) == len(yaml.safe_load(house.printed())["rest"][0]["sensor"]) == 10


def test_a_silent_meter_is_unavailable_and_comes_back(house: Home) -> None:
    house.meter.is_silent = True
    house.shows(UNAVAILABLE, STALE_AFTER_S + SOON_S)
    for assistant in house.assistants:
        until(lambda: set(shown(assistant, BY_REST).values()) == {UNAVAILABLE}, SOON_S, EVERY_S)  # noqa: B023
    house.meter.imported += 7
    house.meter.is_silent = False
    house.shows(house.meter.kwh, SOON_S)


def test_a_server_that_is_down_is_unavailable_and_comes_back(house: Home) -> None:
    house.stop_server()
    house.shows(UNAVAILABLE, SOON_S)
    for assistant in house.assistants:
        until(lambda: set(shown(assistant, BY_REST).values()) == {UNAVAILABLE}, SOON_S, EVERY_S)  # noqa: B023
    house.meter.imported += 13
    house.start_server()
    house.shows(house.meter.kwh, SOON_S)


def test_a_locked_meter_gives_whole_kwh_and_no_power(house: Home) -> None:
    # until the whole kWh have passed the last fine value, that one stands
    house.meter.profile = LOCKED
    house.meter.imported += 10_000 - house.meter.imported % 10_000
    house.shows(house.meter.kwh, SOON_S)
    power = f"{house.meter.id}_power"
    for assistant in house.assistants:
        until(lambda: shown(assistant, BY_REST)[power] == UNAVAILABLE, SOON_S, EVERY_S)  # noqa: B023
    house.meter.imported += 21
    house.meter.profile = UNLOCKED
    house.shows(house.meter.kwh, SOON_S)
    for assistant in house.assistants:
        until(lambda: shown(assistant, BY_REST)[power] == Decimal(201), SOON_S, EVERY_S)  # noqa: B023


def test_a_replaced_meter_is_another_one(house: Home) -> None:
    # by MQTT counters come at most once a second: all has been told of the old one
    are_right(house, SOON_S)
    house.meter.replace(imported=3)
    house.shows(house.meter.kwh, SOON_S)
    house.meter.imported += 5
    house.shows(house.meter.kwh, SOON_S)
    for assistant in house.assistants:
        assistant.wait_for(PINNED, UNAVAILABLE, SOON_S)
        for way in (BY_REST, BY_OURS) if assistant.has_ours else (BY_REST,):
            until(lambda: shown(assistant, way)[f"{OLD_METER}_energy_import"] == UNAVAILABLE, SOON_S, EVERY_S)  # noqa: B023
    are_right(house, SOON_S)


def loads(assistant: HomeAssistant, *texts: str) -> None:
    """By a restart: when they are only read again, an entity of an unchanged id is refused."""
    assistant.configure(*texts)
    words = assistant.restart()
    if any("Timeout while fetching" in line for line in words):
        # the machine is so busy with other things that an answer took five seconds
        words = assistant.restart()
    assert words == []


def answered(house: Home) -> dict[str, Decimal]:
    """The server's answer by the unique id of the sensors, energy in kWh."""
    return {
        f"{house.meter.id}_{name}": value.scaleb(-3) if "energy" in name else value
        for name, value in served(house).items()
    }


def pinned_yaml() -> str:
    """The total with the address that the page gives for a meter that will be replaced."""
    (address,) = blocks(DOCS / "home-assistant.md", "text")
    (total,) = blocks(ROOT / "README.md", "yaml")
    named = total.replace("Electricity meter", "Pinned meter").replace("iskra_electricity_total", "iskra_pinned")
    return re.sub(r" +resource: .*\n", address, named).replace("sensor:", "sensor pinned:")


def sensors(block: str) -> set[str]:
    """Every sensor of a block, as one text: its keys and, of one that shares a request, that of the request."""
    content = yaml.safe_load(block)
    whole = [*content.get("sensor", ())]
    for request in content.get("rest", ()):
        whole += ({**request, "sensor": sensor} for sensor in request["sensor"])
    return {repr(sensor) for sensor in whole}
