"""Logs what is valid in the contracts and probably not meant: not everybody runs `config check`."""

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from iskra_server.cost.from_config import contract_findings
from iskra_server.runtime.plan import Plan

log = logging.getLogger(__name__)


def log_doubts(plan: Plan) -> None:
    """At the start, and after a reload that changed something."""
    today = datetime.now(ZoneInfo(plan.settings.tz)).date()
    for finding in contract_findings(plan.config.contracts, plan.config.offers, today):
        log.warning("%s", finding.sentence)
