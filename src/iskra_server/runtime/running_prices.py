"""The daily fetch of spot prices while a plan asks for it; it is imported only then."""

from typing import TYPE_CHECKING

from iskra_server.base.clock import Clock
from iskra_server.cost.price_plan import PricePlan
from iskra_server.runtime.planned_output import OpenStore
from iskra_server.runtime.supervision import Part, RunningPart, Supervision

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.prices.daily_fetch import DailyFetch


class RunningPrices:
    def __init__(self, supervision: Supervision, store: OpenStore, clock: Clock) -> None:
        self._supervision = supervision
        self._store = store
        self._clock = clock
        self._plan: PricePlan | None = None
        self._fetch: DailyFetch | None = None
        self._part: RunningPart | None = None

    async def change_to(self, plan: PricePlan | None) -> None:
        if plan == self._plan:
            return
        if self._part:
            await self._supervision.stop(self._part)
        self._plan, self._fetch, self._part = plan, None, None
        if plan:
            from iskra_server.prices.daily_fetch import DailyFetch  # noqa: PLC0415
            from iskra_server.prices.price_sources import price_sources  # noqa: PLC0415

            sources = price_sources(plan.addresses)
            self._fetch = DailyFetch(zones=plan.zones, sources=sources, store=self._store, clock=self._clock)
            self._part = self._supervision.start(Part("spot prices", self._fetch.run))

    def missing(self) -> dict[str, str]:
        """The zone whose prices should be there and are not, and from when on; for a notice."""
        return self._fetch.missing() if self._fetch else {}
