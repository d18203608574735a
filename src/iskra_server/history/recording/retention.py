"""Thinning: packed telegrams older than `raw_days` go, in steps so small that writing never waits for one.

The ledger (boundaries, power, epochs) is kept for ever.
"""

import time

from iskra_server.history.model.records import CLOCK_TOLERANCE_S
from iskra_server.history.store.store import Store

STEP = 200
PAUSE_S = 0.05
_DAY_S = 86_400


def thin(store: Store, now_s: float, raw_days: float, step: int = STEP, pause_s: float = PAUSE_S) -> int:
    """Delete the points older than `raw_days` (0: all, inf: none), `step` blocks a transaction; says how many blocks.

    PostgreSQL drops months that are too old as a whole; only what is left is deleted, and counted.
    Their age is reckoned from the newest that history holds, where that is before now: a clock that runs ahead deletes
    nothing. Blocks for as long as it takes: for a thread. Raises StoreError; what was deleted by then stays so.
    """
    meters = store.meters()
    seen_s = [meter.last_s for meter in meters if meter.last_s <= now_s + CLOCK_TOLERANCE_S]
    before_s = min(now_s, max(seen_s, default=0) + 1) - raw_days * _DAY_S
    deleted = 0
    store.make_partitions()
    if before_s < 0:
        return deleted
    # in PostgreSQL months go whole; what is left of one goes as everywhere
    store.drop_partitions_before(before_s, ["points"])
    for meter in meters:
        while count := store.delete_points(meter.meter_id, int(before_s), step):
            deleted += count
            if count < step:
                break
            time.sleep(pause_s)
    return deleted
