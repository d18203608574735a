"""The daily fetch is started, kept and ended by the plan."""

import asyncio
from pathlib import Path

import pricing
from answering import until
from iskra_server.base.clock import Clock
from iskra_server.cost.price_plan import PricePlan
from iskra_server.history.model.spot_price import delivery_day, quarters_of_days
from iskra_server.history.store.spot_prices import spot_raws
from iskra_server.history.store.store import Store
from iskra_server.runtime.running_prices import RunningPrices
from iskra_server.runtime.supervision import Supervision
from pricing import DAY as ONE
from pricing import stand_in

AT_S = 1_795_305_600.0


def test_prices_are_fetched_while_a_plan_asks_for_them(tmp_path: Path) -> None:
    today = delivery_day(AT_S)
    quarters = quarters_of_days(today, today + ONE)
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")

    async def main() -> None:
        clock = Clock(wall_s=lambda: AT_S, boot_s=lambda: 1000.0, has_own=True, synchronised=lambda: True)
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(60):
            prices = RunningPrices(Supervision(tasks), lambda: store, clock)
            assert prices.missing() == {}
            await prices.change_to(None)
            plan = PricePlan(("DE-LU",), source.addresses)
            await prices.change_to(plan)
            await until(lambda: len(spot_raws(store, "DE-LU", quarters.start, quarters.stop)) == 96)
            await prices.change_to(plan)
            assert prices.missing() == {}
            await prices.change_to(None)

    with stand_in() as source:
        source.prices = pricing.priced(today)
        asyncio.run(main())
        assert source.asked() == ["energy-charts"]
    store.close()
