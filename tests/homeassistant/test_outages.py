"""Servers and brokers that go, in the real Home Assistant that knows the meter by MQTT.

Every test leaves the home as it found it: broker and server run, the meter is read, each Home Assistant shows it.
"""

import time

import pytest

from homeassistant import release
from homeassistant.entities import BY_MQTT, are_right, are_unavailable, complaints, young
from homeassistant.forms import entries, issues
from homeassistant.home import Home
from homeassistant.instance import EVERY_S, HomeAssistant
from homeassistant.meter import UNLOCKED
from iskra_server.outputs.mqtt.keep_connected import RETRY_S
from running import until

# what is pushed comes at once; a busy machine needs some seconds
SOON_S = 120.0
# three attempts of the server; they are the same ones for two minutes
AWAY_S = 3 * RETRY_S if release.is_default() else 60.0


@pytest.mark.slow
def test_a_broker_that_has_lost_everything_is_harmless(house: Home) -> None:
    # where this file is run alone
    house.meter.profile = UNLOCKED
    house.broker.kill()
    are_unavailable(house, SOON_S, BY_MQTT)
    house.meter.imported += 2
    house.broker.start()
    are_right(house, SOON_S)


def test_a_server_that_is_killed_is_unavailable_and_comes_back(house: Home) -> None:
    house.kill_server()
    are_unavailable(house, SOON_S)
    for assistant in young(house):
        until(lambda: has_lost(assistant), SOON_S, EVERY_S)  # noqa: B023
    house.meter.imported += 4
    house.start_server()
    are_right(house, SOON_S)
    for assistant in young(house):
        until(lambda: not has_lost(assistant), SOON_S, EVERY_S)  # noqa: B023


def test_a_server_that_is_stopped_is_unavailable_and_comes_back(house: Home) -> None:
    house.stop_server()
    are_unavailable(house, SOON_S)
    house.meter.imported += 6
    house.start_server()
    are_right(house, SOON_S)


def test_a_broker_that_is_missing_when_the_server_starts_is_found(house: Home) -> None:
    house.stop_server()
    house.broker.kill()
    house.start_server()
    until(lambda: "Nothing is published to" in house.server.log, SOON_S)
    time.sleep(AWAY_S)
    are_unavailable(house, SOON_S, BY_MQTT)
    house.meter.imported += 8
    house.broker.start()
    are_right(house, SOON_S)


def has_lost(assistant: HomeAssistant) -> bool:
    """Whether Repairs says that the server is away."""
    (entry,) = entries(assistant)
    return f"no_connection_{entry['entry_id']}" in issues(assistant)


def test_no_phase_gave_a_reason_to_complain(house: Home) -> None:
    for assistant in house.assistants:
        assert complaints(assistant) == []
