"""The state of a collector: what it has answered, how long messages waited for their commit, and what keeps it."""

from msgspec import Struct


class CollectorState(Struct, frozen=True):
    """Counts of messages since the start; both sentences say what fails and what to do, and are "" while all is well.

    `kept`, `waits` and `refused` were answered; `live` values were stored, `live_dropped` ones were not, because a
    newer one came or the database was away. `queued` messages are received and not committed. The lag of a batch is
    the time from the arrival of its oldest message to its commit; `max_lag_s` is the highest of the last minutes.
    `database_since_s` is when the database began to fail, in Unix time.
    """

    kept: int = 0
    waits: int = 0
    refused: int = 0
    live: int = 0
    live_dropped: int = 0
    queued: int = 0
    batches: int = 0
    lag_sum_s: float = 0.0
    max_lag_s: float = 0.0
    broker_sentence: str = ""
    database_sentence: str = ""
    database_since_s: float | None = None

    @property
    def sentence(self) -> str:
        """What keeps it from working, "" while nothing does."""
        return " ".join(filter(None, (self.broker_sentence, self.database_sentence)))
