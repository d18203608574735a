"""Writes history in its own thread, so that nothing else waits for a disk or a database.

    enqueue() -> pending -> one transaction -> database
                   |          retried with back-off, at most a minute apart, while that fails
                   +-> spool (spool.py) while it fails for longer, and at the end -> database, once that works

A closed quarter is written within a second. Blocks of points wait until the oldest telegram in them has waited for
`flush_s`. Where the spool fails too, the ledger waits in memory without limit, and points for `max_points_hours`; older
points are dropped and counted.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from threading import Condition, Event, Lock, Thread

from msgspec.structs import replace

from iskra_server.base.backoff import Backoff
from iskra_server.history.model.records import MeterInfo, PointBlock, Record
from iskra_server.history.recording.history_spool import HistorySpool
from iskra_server.history.recording.pending_records import Pending, PendingBatch
from iskra_server.history.recording.waiting_samples import WaitingSample
from iskra_server.history.recording.writer_state import (
    WriterError,
    WriterState,
    describe_unread,
    describe_unwritten,
    hanging,
    repeated,
)
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store, fits_columns

# records that are enqueued within this time share a transaction
TOGETHER_S = 1.0
FIRST_RETRY_S, MAX_RETRY_S = 1.0, 60.0
CLOSE_S = 3.0
# a lock of a few seconds should not cause a write to the disk
SPOOL_AFTER_S = 10.0
# a transaction takes milliseconds; one that takes this long is reported
HANGS_AFTER_S = 10.0
# how often SQLite's file is checked for being moved or deleted
CHECK_FILE_S = 20.0
_CLOSING_RETRY_S = 0.3
_NEVER = float("inf")

log = logging.getLogger(__name__)


class Writer:
    """Opens a store, reopens it after failures, and writes what is enqueued.

    `store` is None until it was open once; `caught_up`: it has taken what an earlier run left in the spool; `tried`:
    the first attempt is over. `name` is the database in messages; `count_unsent` counts telegrams that wait upstream.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        flush_s: float = 60.0,
        max_points_hours: float = 24.0,
        together_s: float = TOGETHER_S,
        first_retry_s: float = FIRST_RETRY_S,
        spool_after_s: float = SPOOL_AFTER_S,
        spool: HistorySpool | None = None,
        name: str = "The database",
        count_unsent: Callable[[], int] = lambda: 0,
        only_reads: bool = False,
    ) -> None:
        self.store: Store | None = None
        self.caught_up = False
        self.tried = Event()
        self.spool = spool or HistorySpool([])
        self._open_store = open_store
        self._name = name
        self._count_unsent = count_unsent
        # of a central server: no meter, so nothing to write
        self._only_reads = only_reads
        self._flush_s = flush_s
        self._max_points_s = max_points_hours * 3600
        self._together_s = together_s
        self._spool_after_s = spool_after_s
        self._backoff = Backoff(first_retry_s, MAX_RETRY_S)
        self._pending = Pending()
        # guards what follows
        self._changed = Condition()
        # held while pending batches move to the disk or samples come from there
        self._spooling = Lock()
        # monotonic seconds; the first attempt, at once, opens the store
        self._due = 0.0
        self._close_by = _NEVER
        self._attempt_began: float | None = None
        self._failing_since = 0.0
        self._is_abandoned = False
        self._remove_samples = False
        self._write_error: WriterError | None = None
        # the recorder cannot read where history stopped
        self._resume_error: WriterError | None = None
        self._spool_error = ""
        self._last_flush: datetime | None = None
        self._dropped = self._refused = 0
        self._thread = Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def enqueue(self, records: Sequence[Record], meter: MeterInfo) -> None:
        """Records of one meter. Never waits, never raises; counts records whose numbers do not fit into a column."""
        fitting = [record for record in records if fits_columns(record)]
        now = time.monotonic()
        with self._changed:
            self._refused += len(records) - len(fitting)
            self._pending.add(fitting, meter, now)
            self._dropped += self._pending.drop_before(now - self._max_points_s)
            if not self._backoff.failures:
                self._schedule(self._max_wait_s(fitting))

    def enqueue_samples(self, samples: Sequence[WaitingSample]) -> None:
        """Samples that cannot be recorded yet, to be spooled. Never waits, never raises."""
        if samples:
            with self._changed:
                self._pending.add_samples(samples)
                self._schedule(self._together_s)

    @property
    def has_samples(self) -> bool:
        with self._changed:
            return not self._remove_samples and bool(self._pending.samples or self.spool.samples)

    @property
    def is_removing_samples(self) -> bool:
        """Samples that are enqueued meanwhile would be removed unseen."""
        return self._remove_samples

    def pop_samples(self) -> list[WaitingSample]:
        """The enqueued samples, in the order of arrival; on the disk they stay until `confirm_samples`."""
        with self._spooling:
            spooled = self.spool.read_samples()
            with self._changed:
                return spooled + self._pending.pop_samples()

    def confirm_samples(self) -> None:
        """The popped samples are recorded: remove them from the disk after the next transaction."""
        with self._changed:
            self._remove_samples = True
            self._schedule(self._together_s)

    def set_resume_error(self, sentence: str) -> None:
        """Why the recorder cannot read where history stopped, so that nothing is enqueued; "" once it can."""
        if sentence and self._resume_error is None:
            log.warning("%s Nothing is recorded until history can be read; readings wait.", sentence)
        elif self._resume_error and not sentence:
            log.info("History can be read again.")
        with self._changed:
            self._resume_error = repeated(self._resume_error, sentence) if sentence else None

    def enqueue_batch(self, batch: PendingBatch) -> None:
        """What an earlier writer could not write; call before `start`."""
        with self._changed:
            self._pending.add_batch(batch, time.monotonic())

    @property
    def state(self) -> WriterState:
        with self._changed:
            error = self._write_error or self._resume_error or self._hanging_error()
            lost_records, lost_telegrams = self.spool.dropped
            state = WriterState(
                ok=error is None,
                sentence="",
                since=error.since if error else None,
                pending_ledger=self._pending.ledger + self.spool.records,
                pending_points=self._pending.telegrams + self.spool.telegrams,
                dropped_points=self._dropped + lost_telegrams,
                refused=self._refused,
                last_flush=self._last_flush,
                pending_samples=self._pending.samples + self.spool.samples + self._count_unsent(),
                dropped_ledger=lost_records,
            )
            if error is None:
                return state
            describe = describe_unread if self._only_reads else describe_unwritten
            return replace(state, sentence=describe(error.sentence, state, self._spool_error))

    def close(self, within_s: float | None = None) -> WriterState:
        """Write what is pending within 3 s or `within_s`; spool the rest. What the spool cannot take is `unwritten`."""
        within_s = CLOSE_S if within_s is None else within_s
        with self._changed:
            self._close_by = min(self._close_by, time.monotonic() + within_s)
            self._changed.notify()
        if self._thread.ident:
            self._thread.join(within_s)
        # a thread that still waits for the database must change nothing: another writer continues from here
        self._is_abandoned = True
        self._spool_pending()
        self.spool.close()
        return self.state

    def unwritten(self) -> PendingBatch:
        """What is pending in memory."""
        with self._changed:
            return self._pending.batch()

    def _hanging_error(self) -> WriterError | None:
        passed_s = 0.0 if self._attempt_began is None else time.monotonic() - self._attempt_began
        return hanging(self._name, passed_s) if passed_s > HANGS_AFTER_S else None

    def _max_wait_s(self, records: Sequence[Record]) -> float:
        """How long these records may wait, less what the oldest telegram in them has waited."""
        waited = [record.last_s - record.first_s for record in records if isinstance(record, PointBlock)]
        if len(waited) < len(records):
            return self._together_s
        return max(self._together_s, self._flush_s - max(waited)) if waited else _NEVER

    def _schedule(self, in_s: float) -> None:
        due = time.monotonic() + in_s
        if due < self._due:
            self._due = due
            self._changed.notify()

    def _run(self) -> None:
        self.spool.open()
        while self._close_by == _NEVER:
            self._wait()
            self._attempt()
        while self._pending and time.monotonic() < self._close_by:
            with self._changed:
                self._changed.wait(_CLOSING_RETRY_S)
            self._attempt()
        if self.store:
            self.store.close()

    def _wait(self) -> None:
        with self._changed:
            while self._close_by == _NEVER and (left_s := self._due - time.monotonic()) > 0:
                self._changed.wait(min(left_s, CHECK_FILE_S))
                if self.store and not self._backoff.failures and self.store.file_change():
                    return

    def _attempt(self) -> None:
        with self._changed:
            batch, remove_samples = self._pending.batch(), self._remove_samples
            self._due = _NEVER
            self._attempt_began = time.monotonic()
        try:
            self._write(batch)
            if remove_samples:
                self._remove_samples = False
                self.spool.remove_samples()
        except StoreError as error:
            self._fail(str(error))
        except Exception as error:
            # a bug; the thread must go on, because it holds the ledger
            if not self._backoff.failures:
                log.exception("History cannot be written.")
            self._fail(f"History cannot be written ({error!r}). Please report this with the log.")
        else:
            self._succeed(batch)
        self.tried.set()

    def _write(self, batch: PendingBatch) -> None:
        if self.store is None or self._backoff.failures or self.store.file_change():
            self._reopen()
        assert self.store
        if batch.ledger or batch.points or batch.meters:
            self.store.write((*batch.ledger, *batch.points), batch.meters)
            self._last_flush = datetime.now(UTC)
        self.caught_up = True

    def _reopen(self) -> None:
        """The file or server may have been replaced; until the new store is open, the old one answers queries."""
        old = self.store
        if old:
            old.rescue()
        store = self._open_store()
        self.store = store
        if old:
            old.close()
        if self.spool.replay(lambda records, meters: self._write_spooled(store, records, meters)):
            self._last_flush = datetime.now(UTC)

    def _write_spooled(self, store: Store, records: Iterable[Record], meters: Iterable[MeterInfo]) -> None:
        store.write(records, meters)
        if self._is_abandoned:
            raise StoreError(f"{self._name} answered too late.")

    def _spool_pending(self) -> None:
        """Move what is pending to the spool; where that fails it stays pending."""
        with self._spooling:
            with self._changed:
                batch = self._pending.batch()
            if not (batch.ledger or batch.points or batch.samples):
                return
            try:
                self.spool.append(batch)
            except OSError as error:
                self._spool_error = str(error)
                return
            with self._changed:
                self._spool_error = ""
                self._pending.remove_spooled(batch)

    def _fail(self, sentence: str) -> None:
        if self._is_abandoned:
            return
        now = time.monotonic()
        with self._changed:
            is_first = not self._backoff.failures
            self._failing_since = now if is_first else self._failing_since
            self._write_error = repeated(self._write_error, sentence)
            self._attempt_began = None
            self._due = now + self._backoff.next_s()
        if is_first:
            later = (
                "It is tried again"
                if self._only_reads
                else "Nothing is lost; it is written as soon as that works again"
            )
            log.warning("%s %s.", sentence, later)
        if self._close_by != _NEVER or now - self._failing_since >= self._spool_after_s:
            self._spool_pending()

    def _succeed(self, batch: PendingBatch) -> None:
        with self._changed:
            self._pending.remove_written(batch)
            self._attempt_began = None
            self._write_error = None
            if self._backoff.failures:
                self._backoff.reset()
                if self._pending:
                    self._schedule(self._together_s)
                log.info("History is %s again.", "read" if self._only_reads else "written")
        if batch.samples:
            self._spool_pending()
