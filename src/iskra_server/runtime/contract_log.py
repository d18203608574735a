"""Logs what is valid in the contracts and probably not meant: not everybody runs `config check`."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from iskra_server.cost.from_config import contract_findings
from iskra_server.cost.meter_names import NamedMeter, meter_findings
from iskra_server.diagnosis.status import Status
from iskra_server.reading.hub import Hub
from iskra_server.runtime.plan import Plan

_LOOK_EVERY_S = 10.0

log = logging.getLogger(__name__)


def log_doubts(plan: Plan) -> None:
    """At the start, and after a reload that changed something."""
    today = datetime.now(ZoneInfo(plan.settings.tz)).date()
    for finding in contract_findings(plan.config.contracts, plan.config.offers, today):
        log.warning("%s", finding.sentence)


async def log_unread_meters(
    plan_now: Callable[[], Plan],
    statuses: Callable[[], Sequence[Status]],
    hub: Hub,
    *,
    every_s: float = _LOOK_EVERY_S,
) -> None:
    """Contracts that name a meter which no source has, as soon as each source has a meter; again after a reload."""
    # without a contract nothing is looked at
    logged: object = (), ()
    while True:
        config = plan_now().config
        if (config.contracts, config.offers) != logged and all(status.meter_id for status in statuses()):
            logged = config.contracts, config.offers
            meters = [
                NamedMeter(meter_id, sample.reading.server_id.hex(), hub.is_production(meter_id))
                for meter_id, sample in hub.newest.items()
            ]
            # one that has no current value is no unknown meter
            meters += [NamedMeter(virtual.id) for virtual in plan_now().virtual if meters]
            for finding in meter_findings(config.contracts, config.offers, meters):
                log.warning("%s", finding.sentence)
        await asyncio.sleep(every_s)
