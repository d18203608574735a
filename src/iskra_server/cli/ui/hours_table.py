"""The hours that `homeassistant backfill` writes, as a table: what Home Assistant shows now, and afterwards."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.table import Table

from iskra_server.homeassistant.backfill import BackfillPlan, bars, corrected
from iskra_server.homeassistant.gaps import HOUR_S, plain

# more fill many screens
MAX_ROWS = 200


def hours_table(plan: BackfillPlan, tz: ZoneInfo) -> Table:
    """Of a counter the bars of the dashboard, and the bar of the hour of return; of power the mean."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("hour")
    for title in ("Home Assistant now", "after"):
        table.add_column(f"{title}, {plan.series.unit}", justify="right")
    shown = sorted(plan.new)
    for row in list(_means(plan) if plan.series.has_mean else _bars(plan))[:MAX_ROWS]:
        start_s, now, after = row
        table.add_row(_hour(start_s, tz), *("-" if value is None else plain(value) for value in (now, after)))
    if len(shown) > MAX_ROWS:
        table.add_row(f"and {len(shown) - MAX_ROWS:,} more", "", "")
    return table


def _bars(plan: BackfillPlan) -> Iterator[tuple[int, Decimal | None, Decimal | None]]:
    now, after = bars(plan.held, {}), bars(corrected(plan), plan.new)
    for start_s in sorted(plan.new.keys() | {start_s + HOUR_S for start_s in plan.new} & plan.held.keys()):
        yield start_s, now.get(start_s), after[start_s]


def _means(plan: BackfillPlan) -> Iterator[tuple[int, Decimal | None, Decimal | None]]:
    for start_s in sorted(plan.new):
        yield start_s, plan.held.get(start_s, {}).get("mean"), plan.new[start_s]["mean"]


def _hour(start_s: int, tz: ZoneInfo) -> str:
    return datetime.fromtimestamp(start_s, tz).strftime("%Y-%m-%d %H:%M %Z")
