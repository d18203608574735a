"""Writes history from a thread of its own, so that nothing waits for a disk or a database.

    put() -> pending -> one transaction -> the database
                ^___________ again, 1 s, 2 s ... 60 s later, while that fails

When: at once when the ledger has something (a quarter was closed), else before the oldest telegram in a block of
points has waited for `flush_s`; what comes within a second of each other goes together. While the database fails,
the ledger is kept whole, and points for `max_points_hours`: the oldest are dropped and counted.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Condition, Event, Thread

from msgspec import Struct

from iskra_server.history.errors import StoreError
from iskra_server.history.pending import Batch, Pending
from iskra_server.history.records import MeterInfo, PointBlock, Record
from iskra_server.history.store import Store, fits

TOGETHER_S = 1.0
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 60.0
CLOSE_S = 3.0
_CLOSING_RETRY_S = 0.3
_NEVER = float("inf")
# the longest that a condition can be waited for in one go
_LONG_S = 3600.0

log = logging.getLogger(__name__)


class WriterState(Struct, frozen=True):
    """How writing stands: `sentence` says what is wrong since when, and is "" while all is well.

    `pending_ledger` counts records, `pending_points` and `dropped_points` telegrams, `refused` records with a number
    that no column can hold.
    """

    ok: bool
    sentence: str
    since: datetime | None
    pending_ledger: int
    pending_points: int
    dropped_points: int
    refused: int
    last_flush: datetime | None


class Writer:
    """Opens a store, again when it fails, and writes what is put.

    `store` is None until it was opened once; `tried` is set after the first attempt, whatever came of it.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        flush_s: float = 60.0,
        max_points_hours: float = 24.0,
        together_s: float = TOGETHER_S,
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        self.store: Store | None = None
        self.tried = Event()
        self._open_store = open_store
        self._flush_s = flush_s
        self._max_points_s = max_points_hours * 3600
        self._together_s = together_s
        self._first_retry_s = first_retry_s
        self._pending = Pending()
        self._changed = Condition()
        # on the monotonic clock; the first attempt opens the store
        self._due = 0.0
        self._failures = 0
        self._close_by = _NEVER
        self._sentence = ""
        self._since: datetime | None = None
        self._last_flush: datetime | None = None
        self._dropped = self._refused = 0
        self._thread = Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, records: Sequence[Record], seen: MeterInfo) -> None:
        """Take records of one meter, and when it was seen; never waits, never raises."""
        fitting = [record for record in records if fits(record)]
        now = time.monotonic()
        with self._changed:
            self._refused += len(records) - len(fitting)
            self._pending.add(fitting, seen, now)
            self._dropped += self._pending.drop_before(now - self._max_points_s)
            due = now + self._patience_s(fitting)
            if not self._failures and due < self._due:
                self._due = due
                self._changed.notify()

    @property
    def state(self) -> WriterState:
        with self._changed:
            return WriterState(
                ok=not self._failures,
                sentence=self._sentence,
                since=self._since,
                pending_ledger=self._pending.ledger,
                pending_points=self._pending.telegrams,
                dropped_points=self._dropped,
                refused=self._refused,
                last_flush=self._last_flush,
            )

    def close(self) -> WriterState:
        """Write what is pending, for at most 3 s; what the state still counts as pending then is lost, and logged."""
        with self._changed:
            self._close_by = min(self._close_by, time.monotonic() + CLOSE_S)
            self._changed.notify()
        self._thread.join(CLOSE_S)
        state = self.state
        if state.pending_ledger or state.pending_points:
            log.error(
                "History was not written: %d ledger records and the points of %d telegrams are lost. %s",
                state.pending_ledger,
                state.pending_points,
                state.sentence or "The database did not answer in time.",
            )
        return state

    def _patience_s(self, records: Sequence[Record]) -> float:
        """How long these records may wait."""
        waited = [record.last_s - record.first_s for record in records if isinstance(record, PointBlock)]
        if len(waited) < len(records):
            return self._together_s
        return max(self._together_s, self._flush_s - max(waited)) if waited else _NEVER

    def _run(self) -> None:
        while self._close_by == _NEVER:
            self._wait()
            self._attempt()
        while self._pending and time.monotonic() < self._close_by:
            time.sleep(_CLOSING_RETRY_S)
            self._attempt()
        if self.store:
            self.store.close()

    def _wait(self) -> None:
        with self._changed:
            while self._close_by == _NEVER and (left_s := self._due - time.monotonic()) > 0:
                self._changed.wait(min(left_s, _LONG_S))

    def _attempt(self) -> None:
        with self._changed:
            batch = self._pending.batch()
            self._due = _NEVER
        try:
            self._write(batch)
        except StoreError as error:
            self._failed(str(error))
        except Exception as error:
            # an error of ours; the thread must live, as it holds the ledger
            if not self._failures:
                log.exception("History cannot be written.")
            self._failed(f"History cannot be written ({error!r}). Please report this with the log.")
        else:
            self._succeeded(batch)
        self.tried.set()

    def _write(self, batch: Batch) -> None:
        if self.store is None or self._failures:
            # the file or the server may be another one by now; until it opens, the old one still answers questions
            store, old = self._open_store(), self.store
            self.store = store
            if old:
                old.close()
        if batch.ledger or batch.points or batch.meters:
            self.store.write((*batch.ledger, *batch.points), batch.meters)
            self._last_flush = datetime.now(UTC)

    def _failed(self, sentence: str) -> None:
        if not self._failures:
            log.warning("%s Nothing of the ledger is lost; it is written as soon as that works again.", sentence)
        with self._changed:
            self._since = self._since or datetime.now(UTC)
            self._sentence = sentence
            self._due = time.monotonic() + min(LAST_RETRY_S, self._first_retry_s * 2 ** min(self._failures, 10))
            self._failures += 1

    def _succeeded(self, batch: Batch) -> None:
        with self._changed:
            self._pending.written(batch)
            if not self._failures:
                return
            self._failures = 0
            self._sentence, self._since = "", None
            if self._pending:
                self._due = time.monotonic() + self._together_s
        log.info("History is written again.")
