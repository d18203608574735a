"""The state of a collector: what it has answered, how long messages wait for their commit, and what keeps it."""

from msgspec import Struct


class CollectorState(Struct, frozen=True):
    """Counts since the start; `sentence` says what fails and what to do, and is "" while all is well.

    `kept`, `waits` and `refused` messages were answered; `conflicts` are values set beside those that were kept. `live`
    values were stored, `live_dropped` ones were not: a newer one came, or the database was away. `waiting` messages
    have arrived and are not committed, the oldest for `lag_s`; `lag_sum_s` adds up how long the oldest message of each
    of the `batches` waited for its commit. Moments are Unix seconds, None where there is none.
    """

    is_connected: bool = True
    broker_away_since_s: float | None = None
    database_away_since_s: float | None = None
    sentence: str = ""
    kept: int = 0
    waits: int = 0
    refused: int = 0
    conflicts: int = 0
    live: int = 0
    live_dropped: int = 0
    waiting: int = 0
    lag_s: float = 0.0
    last_written_s: float | None = None
    batches: int = 0
    lag_sum_s: float = 0.0
