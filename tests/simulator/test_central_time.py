from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from iskra_server.simulator.central_time import is_summer, wall_clock

BERLIN = ZoneInfo("Europe/Berlin")


def test_the_clock_is_that_of_the_zone_at_every_hour_of_two_years() -> None:
    for second in range(
        int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), 3600
    ):
        there = datetime.fromtimestamp(second, BERLIN)
        assert wall_clock(second) == there.replace(tzinfo=None, fold=0)
        assert is_summer(second) == bool(there.dst())
