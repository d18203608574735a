from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.console import Console

import pricing
from iskra_server.cli.ui.price_curve import price_curve, price_rows

BERLIN = ZoneInfo("Europe/Berlin")


def shown(prices: dict[int, Decimal]) -> list[str]:
    console = Console(width=100, highlight=False)
    with console.capture() as captured:
        console.print(price_curve(price_rows(prices, BERLIN)))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_row_an_hour_and_bars_to_both_sides_of_zero() -> None:
    first = min(pricing.priced(date(2026, 11, 22)))
    prices = {first + number: Decimal(price) for number, price in enumerate([100, 100, 100, 104.5] + [-50] * 4)}
    assert shown(prices) == [
        "                      ct/kWh  EUR/MWh from      to",
        "2026-11-22 00:00 CET   10.11        100.00  104.50            ████████████████████",
        "2026-11-22 01:00 CET   -5.00        -50.00  -50.00  ▒▒▒▒▒▒▒▒▒▒",
    ]


def test_many_days_have_a_row_each() -> None:
    rows = price_rows(pricing.priced(date(2026, 11, 1), date(2026, 12, 1)), BERLIN)
    assert [row.name for row in rows[:2]] == ["2026-11-01", "2026-11-02"] and len(rows) == 30
    assert {len(row.prices) for row in rows} == {96}
