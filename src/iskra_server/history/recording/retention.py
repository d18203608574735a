"""Retention: deletes packed telegrams older than `raw_days`, in transactions so small that the writer never waits long.

The ledger (quarter readings, power, epochs) is kept for ever.
"""

import time

from iskra_server.history.model.records import CLOCK_TOLERANCE_S
from iskra_server.history.store.store import Store

STEP = 200
PAUSE_S = 0.05
_DAY_S = 86_400


def thin(store: Store, now_s: float, raw_days: float, step: int = STEP, pause_s: float = PAUSE_S) -> int:
    """Delete points older than `raw_days` (0: all, inf: none), `step` blocks a transaction; returns how many blocks.

    PostgreSQL drops whole months as partitions; those are not counted. The age counts from the newest telegram in
    history if that is before now, so that a clock that runs ahead deletes nothing. Blocks until it is done: call it
    in a thread. Raises StoreError; blocks deleted before that stay deleted.
    """
    meters = store.meters()
    seen_s = [meter.last_s for meter in meters if meter.last_s <= now_s + CLOCK_TOLERANCE_S]
    before_s = min(now_s, max(seen_s, default=0) + 1) - raw_days * _DAY_S
    store.make_partitions()
    if before_s < 0:
        return 0
    store.drop_partitions_before(before_s, ["points"])
    deleted = 0
    for meter in meters:
        while count := store.delete_points(meter.meter_id, int(before_s), step):
            deleted += count
            if count < step:
                break
            time.sleep(pause_s)
    return deleted
