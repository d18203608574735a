from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.console import Console

from iskra_server.cli.ui.hours_table import MAX_ROWS, hours_table
from iskra_server.homeassistant.backfill import BackfillPlan
from iskra_server.homeassistant.hourly_statistics import StatisticSeries, Values

# 2026-10-24 23:00 UTC: the next hours are 01:00 and twice 02:00 in Berlin
BEGIN = 1_792_882_800
COUNTER = StatisticSeries("sensor.a", "recorder", None, "kWh", "energy", has_mean=False)


def printed(plan: BackfillPlan) -> list[list[str]]:
    console = Console(width=100, highlight=False)
    with console.capture() as capture:
        console.print(hours_table(plan, ZoneInfo("Europe/Berlin")))
    return [line.split("  ") for line in capture.get().splitlines()]


def values(total: str) -> Values:
    return {"state": Decimal(total), "sum": Decimal(total)}


def test_bars_now_and_after_with_the_hour_of_return() -> None:
    hour = [BEGIN + place * 3600 for place in range(4)]
    held = {hour[0]: values("1"), hour[1]: values("1"), hour[3]: values("4")}
    plan = BackfillPlan(COUNTER, held, {hour[1]: values("2"), hour[2]: values("2.5")})
    lines = [" ".join(part.strip() for part in line if part.strip()) for line in printed(plan)]
    assert lines == [
        "hour Home Assistant now, kWh after, kWh",
        "2026-10-25 02:00 CEST 0 1",
        "2026-10-25 02:00 CET - 0.5",
        "2026-10-25 03:00 CET 3 1.5",
    ]


def test_a_long_table_is_cut() -> None:
    new = {BEGIN + place * 3600: values(str(place)) for place in range(MAX_ROWS + 50)}
    lines = printed(BackfillPlan(COUNTER, {}, new))
    assert (len(lines), lines[-1][0].strip()) == (MAX_ROWS + 2, "and 50 more")
