"""What the statistics made of energy of today over a midnight; then the meters of the cellar are removed."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from homeassistant import cellar
from homeassistant.cellar import BASE_TOPIC, NAME
from homeassistant.entities import BY_MQTT, UNAVAILABLE, newest
from homeassistant.home import Home
from homeassistant.instance import EVERY_S, HomeAssistant
from iskra_server.outputs.mqtt.removal import remove
from outputs.mqtt.published import settings
from running import until

SOON_S = 120.0
# by the meter, in the phases of test_other_meters.py
USED = Decimal("0.012")


@pytest.mark.slow
def test_the_sum_is_what_was_used_on_both_days(house: Home) -> None:
    for assistant in house.assistants:
        entities = assistant.entities(BY_MQTT)
        today, total = (
            entities[f"iskra_{NAME.encode().hex()}_{key}"] for key in ("energy_import_today", "energy_import")
        )
        until(lambda: assistant.sums(today, "hour"), SOON_S, EVERY_S)  # noqa: B023
        # less where the entity came within ten seconds after a full five minutes (`counted_from`)
        assert newest(assistant.sums(total, "5minute")) == USED
        # MQTT misses what was counted before the first midnight while the server was away
        assert Decimal("0.002") <= newest(assistant.sums(today, "5minute")) < USED
        if assistant.has_ours:
            # its entry is removed, and with it the entity: of the two, the id of the later one had a number behind. Its
            # server was killed before the third day began
            ours = today.removesuffix("_2") if today.endswith("_2") else f"{today}_2"
            assert assistant.past(ours)
            sums = assistant.sums(ours, "5minute")
            if len(sums) > 1:
                assert newest(sums) == USED - Decimal("0.002")
            elif sums:
                # one that lived within five minutes has one row; from which state that counts depends on when it came
                assert 0 <= newest(sums) < USED


def test_meters_that_are_removed_take_their_entities_along(house: Home, tmp_path: Path) -> None:
    names = (NAME, *map(cellar.device, cellar.READINGS))
    ids = tuple(f"iskra_{name.encode().hex()}" for name in names)
    # the broker has lost everything in the meantime (test_outages.py)
    with cellar.cellar(house, tmp_path):
        for assistant in house.assistants:
            until(lambda: all(are_shown(assistant, key) for key in ids), SOON_S, EVERY_S)  # noqa: B023
    broker = settings(house.broker.url, base_topic=BASE_TOPIC)
    for name in names:
        asyncio.run(remove(broker, name))
    for assistant in house.assistants:
        until(lambda: not any(key.startswith(ids) for key in assistant.entities(BY_MQTT)), SOON_S, EVERY_S)  # noqa: B023


def are_shown(assistant: HomeAssistant, meter: str) -> bool:
    """Some entities of a meter; not every one has a value."""
    states = assistant.states()
    entities = [entity for key, entity in assistant.entities(BY_MQTT).items() if key.startswith(meter)]
    return any(states[entity]["state"] not in (UNAVAILABLE, "unknown") for entity in entities if entity in states)
