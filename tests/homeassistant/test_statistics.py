"""What Home Assistant has made of all phases, by every way, after another restart: behind the next full hour."""

import signal
from decimal import Decimal
from itertools import chain, groupby

from homeassistant.entities import (
    BY_OURS,
    BY_REST,
    are_right,
    are_unavailable,
    begun,
    counted_from,
    grid,
    invalid,
    newest,
    numbers,
    ways,
)
from homeassistant.home import OLD_METER, PINNED, STALE_AFTER_S, TOTAL, Home
from homeassistant.instance import EVERY_S, HomeAssistant
from running import until

SOON_S = 120.0
# some seconds on an idle machine; what waits for an answer until Home Assistant gives it up takes as long again
STOPPED_S = 60.0
AFTER_THE_HOUR = Decimal("0.0009")
HOUR_MS = 60 * 60 * 1000


def test_it_stops_while_requests_wait_for_a_server_that_hangs(house: Home) -> None:
    # what is pushed may be behind what was asked for: it belongs to this hour as well
    are_right(house, SOON_S)
    house.server.process.send_signal(signal.SIGSTOP)
    try:
        # the stream is open, and the status has been asked for
        are_unavailable(house, STALE_AFTER_S + SOON_S, BY_OURS)
        house.everywhere(lambda assistant: assistant.stop(STOPPED_S))
    finally:
        house.server.process.send_signal(signal.SIGCONT)


def test_everything_is_right_after_a_restart(house: Home) -> None:
    house.everywhere(HomeAssistant.start_behind_the_hour)
    house.meter.imported += 9  # AFTER_THE_HOUR
    house.shows(house.meter.kwh, SOON_S)
    are_right(house, SOON_S)


def test_statistics_add_up_to_what_was_drawn(house: Home) -> None:
    old, new = (max(life) for life in house.meter.lives)
    new -= AFTER_THE_HOUR
    for assistant in house.assistants:
        pinned = assistant.entities(BY_REST)[f"{OLD_METER}_energy_import"]
        # they are made in the first seconds
        until(lambda: assistant.sums(TOTAL, "hour"), SOON_S, EVERY_S)  # noqa: B023
        assert newest(assistant.sums(pinned, "5minute")) == old - counted_from(assistant, pinned)
        assert newest(assistant.sums(PINNED, "5minute")) == old - counted_from(assistant, PINNED)
        for first, second in pushed(assistant):
            assert newest(assistant.sums(first, "5minute")) == old - counted_from(assistant, first)
            assert newest(assistant.sums(second, "5minute")) == new - counted_from(assistant, second)
        # the new one began at 0, and so Home Assistant takes it
        assert newest(assistant.sums(TOTAL, "5minute")) == old - counted_from(assistant, TOTAL) + new


def test_the_bars_of_the_energy_dashboard_are_the_same_sums(house: Home) -> None:
    for assistant in house.assistants:
        for entity in (TOTAL, *chain(*pushed(assistant))):
            # the hour behind the restart, even where a full hour has passed before an entity was there
            until(lambda: assistant.sums(entity, "hour"), SOON_S, EVERY_S)  # noqa: B023
            short, hours = (assistant.sums(entity, period) for period in ("5minute", "hour"))
            # one that is unavailable has none for the last minutes
            last = {start: max(at for at in short if at < start + HOUR_MS) for start in hours}
            assert hours == {start: short[at] for start, at in last.items()} != {}


def test_no_state_was_ever_another_than_the_meter_showed(house: Home) -> None:
    old, new = map(sorted, house.meter.lives)
    for assistant in house.assistants:
        lives = [life for first, second in pushed(assistant) for life in ((first, old), (second, new))]
        for entity, told in ((TOTAL, [*old, *new]), *lives):
            # the newest is written within seconds
            until(lambda: numbers(assistant, entity)[-1] == told[-1], SOON_S, EVERY_S)  # noqa: B023
            changes = [value for value, _ in groupby(numbers(assistant, entity))]
            # one that was gone within seconds may be missing, but none comes before its time
            assert changes == [value for value in told if value in changes]
        for first, _ in pushed(assistant):
            assert begun(assistant, first) == old[0]


def test_home_assistant_finds_nothing_wrong(house: Home) -> None:
    for assistant in house.assistants:
        # the first meter's is unavailable now, and the dashboard says so
        for entity in (TOTAL, *(second for _, second in pushed(assistant))):
            assistant.ask("energy/save_prefs", energy_sources=grid(assistant, entity))
            assert assistant.ask("energy/validate")["energy_sources"] == [[]]
        assert invalid(assistant) == {}


def pushed(assistant: HomeAssistant) -> list[tuple[str, str]]:
    """By MQTT and by our integration: the totals of the meters, in the order in which they hung on the wall."""
    return [totals(assistant, way) for way in ways(assistant)]


def totals(assistant: HomeAssistant, way: str) -> tuple[str, str]:
    entities = assistant.entities(way)
    # not that of the cellar
    on_the_wall = [key for key in entities if key.startswith(("iskra_09", "1isk")) and key.endswith("_energy_import")]
    first, second = (entities[key] for key in sorted(on_the_wall))
    return first, second
