"""Writes history from a thread of its own, so that nothing waits for a disk or a database.

    put() -> pending -> one transaction -> the database
                |           again, 1 s, 2 s ... 60 s later, while that fails
                +-> spool (spool.py) while it fails for longer, and at the end -> the database, once that works

When: at once when the ledger has something (a quarter was closed), else before the oldest telegram in a block of
points has waited for `flush_s`; what comes within a second of each other goes together. Where the spool cannot be
written either, the ledger waits in memory, whole, and points for `max_points_hours`: the oldest are dropped and
counted.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from threading import Condition, Event, Lock, Thread

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.records import MeterInfo, PointBlock, Record
from iskra_server.history.recording.pending import Batch, Pending
from iskra_server.history.recording.spool import HistorySpool
from iskra_server.history.recording.waiting import Waited
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store, fits_columns

TOGETHER_S = 1.0
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 60.0
CLOSE_S = 3.0
# a lock of a few seconds costs no writing to the disk
SPOOL_AFTER_S = 10.0
# a transaction takes some milliseconds; one that takes so long is told
HANGS_AFTER_S = 10.0
# whether the file is still where it was is looked at so often
LOOK_EVERY_S = 20.0
_CLOSING_RETRY_S = 0.3
_NEVER = float("inf")

log = logging.getLogger(__name__)


class WriterState(Struct, frozen=True):
    """How writing stands: `sentence` says what is wrong since when and what waits, and is "" while all is well.

    `pending_ledger` counts records, `pending_points` and `dropped_points` telegrams, `pending_samples` telegrams that
    no ledger has taken yet; of each also what waits on the disk. `dropped_ledger` counts records that no disk had room
    for, `refused` those with a number that no column can hold.
    """

    ok: bool
    sentence: str
    since: datetime | None
    pending_ledger: int
    pending_points: int
    dropped_points: int
    refused: int
    last_flush: datetime | None
    pending_samples: int = 0
    dropped_ledger: int = 0


class Writer:
    """Opens a store, again when it fails, and writes what is put.

    `store` is None until it was opened once; `caught_up` says whether it then took what had waited before; `tried` is
    set after the first attempt, whatever came of it. `name` is the database as it may be shown; `samples_elsewhere`
    says how many telegrams wait in front of this writer.
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
        samples_elsewhere: Callable[[], int] = lambda: 0,
    ) -> None:
        self.store: Store | None = None
        self.caught_up = False
        self.tried = Event()
        self.spool = spool or HistorySpool([])
        self._open_store = open_store
        self._name = name
        self._samples_elsewhere = samples_elsewhere
        self._flush_s = flush_s
        self._max_points_s = max_points_hours * 3600
        self._together_s = together_s
        self._first_retry_s = first_retry_s
        self._spool_after_s = spool_after_s
        self._pending = Pending()
        self._changed = Condition()
        # one at a time moves what is pending to the disk
        self._keeping = Lock()
        # on the monotonic clock; the first attempt opens the store
        self._due = 0.0
        self._attempt_began: float | None = None
        self._failures = 0
        self._failing_since = 0.0
        self._close_by = _NEVER
        self._is_left_behind = False
        self._forget_samples = False
        self._sentence = self._spool_sentence = ""
        self._since: datetime | None = None
        self._resuming_sentence = ""
        self._resuming_since: datetime | None = None
        self._last_flush: datetime | None = None
        self._dropped = self._refused = 0
        self._thread = Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, records: Sequence[Record], seen: MeterInfo) -> None:
        """Take records of one meter, and when it was seen; never waits, never raises."""
        fitting = [record for record in records if fits_columns(record)]
        now = time.monotonic()
        with self._changed:
            self._refused += len(records) - len(fitting)
            self._pending.add(fitting, seen, now)
            self._dropped += self._pending.drop_before(now - self._max_points_s)
            due = now + self._patience_s(fitting)
            if not self._failures and due < self._due:
                self._due = due
                self._changed.notify()

    def put_samples(self, samples: Sequence[Waited]) -> None:
        """Keep telegrams that no ledger can take yet, on the disk if possible; never waits, never raises."""
        if samples:
            with self._changed:
                self._pending.add_samples(samples)
                self._due = min(self._due, time.monotonic() + self._together_s)
                self._changed.notify()

    @property
    def has_samples(self) -> bool:
        with self._changed:
            return not self._forget_samples and bool(self._pending.samples or self.spool.readings)

    @property
    def is_forgetting(self) -> bool:
        """Whether samples that were recorded are still to be forgotten: those that are put meanwhile are not seen."""
        return self._forget_samples

    def take_samples(self) -> list[Waited]:
        """Those that were put, in the order of their arrival; on the disk they stay until `samples_recorded`."""
        with self._keeping:
            kept = self.spool.samples()
            with self._changed:
                return kept + self._pending.take_samples()

    def samples_recorded(self) -> None:
        """What came of the samples that were taken has been put; once it is written they are forgotten."""
        with self._changed:
            self._forget_samples = True
            self._due = min(self._due, time.monotonic() + self._together_s)
            self._changed.notify()

    def note_resuming(self, sentence: str) -> None:
        """What keeps history from going on where it stopped, "" where nothing does; until it goes on nothing is put."""
        with self._changed:
            self._resuming_since = (self._resuming_since or datetime.now(UTC)) if sentence else None
            self._resuming_sentence = sentence

    def inherit(self, batch: Batch) -> None:
        """Take what an earlier writer could not write; before the start."""
        with self._changed:
            self._pending.add_batch(batch, time.monotonic())

    @property
    def state(self) -> WriterState:
        with self._changed:
            since, trouble = self._since, self._sentence
            if not trouble and self._resuming_sentence:
                since, trouble = self._resuming_since, self._resuming_sentence
            began, now = self._attempt_began, time.monotonic()
            if not trouble and began is not None and now - began > HANGS_AFTER_S:
                since = datetime.fromtimestamp(time.time() - (now - began), UTC)
                trouble = f"{self._name} has not answered for {now - began:.0f} s."
            lost_records, lost_telegrams = self.spool.dropped
            state = WriterState(
                ok=not trouble,
                sentence=trouble,
                since=since,
                pending_ledger=self._pending.ledger + self.spool.records,
                pending_points=self._pending.telegrams + self.spool.telegrams,
                dropped_points=self._dropped + lost_telegrams,
                refused=self._refused,
                last_flush=self._last_flush,
                pending_samples=self._pending.samples + self.spool.readings + self._samples_elsewhere(),
                dropped_ledger=lost_records,
            )
            return replace(state, sentence=_told(state, self._spool_sentence)) if trouble else state

    def close(self, within_s: float | None = None) -> WriterState:
        """Write what is pending, for at most 3 s or `within_s`, and keep on the disk what could not be written.

        What could not be kept either is in `rest`.
        """
        within_s = CLOSE_S if within_s is None else within_s
        with self._changed:
            self._close_by = min(self._close_by, time.monotonic() + within_s)
            self._changed.notify()
        if self._thread.ident:
            self._thread.join(within_s)
        # a thread that still hangs in the database must not touch what another writer goes on with
        self._is_left_behind = True
        self._keep_on_disk()
        self.spool.close()
        return self.state

    def rest(self) -> Batch:
        """What is pending in memory."""
        with self._changed:
            return self._pending.batch()

    def _patience_s(self, records: Sequence[Record]) -> float:
        """How long these records may wait."""
        waited = [record.last_s - record.first_s for record in records if isinstance(record, PointBlock)]
        if len(waited) < len(records):
            return self._together_s
        return max(self._together_s, self._flush_s - max(waited)) if waited else _NEVER

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
                self._changed.wait(min(left_s, LOOK_EVERY_S))
                if self.store and not self._failures and self.store.file_change():
                    return

    def _attempt(self) -> None:
        with self._changed:
            batch, forget_samples = self._pending.batch(), self._forget_samples
            self._due = _NEVER
            self._attempt_began = time.monotonic()
        try:
            self._write(batch)
            if forget_samples:
                self._forget_samples = False
                self.spool.forget_samples()
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
        if self.store is None or self._failures or self.store.file_change():
            self._open()
        assert self.store
        if batch.ledger or batch.points or batch.meters:
            self.store.write((*batch.ledger, *batch.points), batch.meters)
            self._last_flush = datetime.now(UTC)
        self.caught_up = True

    def _open(self) -> None:
        """The file or the server may be another one by now; until it opens, the old one still answers questions."""
        old = self.store
        if old:
            old.rescue()
        store = self._open_store()
        self.store = store
        if old:
            old.close()
        if self.spool.write(lambda records, meters: self._write_kept(store, records, meters)):
            self._last_flush = datetime.now(UTC)

    def _write_kept(self, store: Store, records: Iterable[Record], meters: Iterable[MeterInfo]) -> None:
        store.write(records, meters)
        if self._is_left_behind:
            raise StoreError(f"{self._name} answered too late.")

    def _keep_on_disk(self) -> None:
        """What is pending goes to the spool; it stays pending where the disk does not take it."""
        with self._keeping:
            with self._changed:
                batch = self._pending.batch()
            if not (batch.ledger or batch.points or batch.samples):
                return
            try:
                self.spool.keep(batch)
            except OSError as error:
                self._spool_sentence = f", from memory alone ({error})"
                return
            with self._changed:
                self._spool_sentence = ""
                self._pending.kept(batch)

    def _failed(self, sentence: str) -> None:
        if self._is_left_behind:
            return
        now = time.monotonic()
        with self._changed:
            is_new = not self._failures
            self._failing_since = now if is_new else self._failing_since
            self._since = self._since or datetime.now(UTC)
            self._sentence = sentence
            self._attempt_began = None
            self._due = now + min(LAST_RETRY_S, self._first_retry_s * 2 ** min(self._failures, 10))
            self._failures += 1
        if is_new:
            log.warning("%s Nothing is lost; it is written as soon as that works again.", sentence)
        if self._close_by != _NEVER or now - self._failing_since >= self._spool_after_s:
            self._keep_on_disk()

    def _succeeded(self, batch: Batch) -> None:
        with self._changed:
            self._pending.written(batch)
            self._attempt_began = None
            is_again, self._failures = bool(self._failures), 0
            self._sentence, self._since = "", None
            if is_again and self._pending:
                self._due = time.monotonic() + self._together_s
            if is_again:
                log.info("History is written again.")
        if batch.samples:
            self._keep_on_disk()


def _told(state: WriterState, where: str) -> str:
    """What is wrong, since when, and what waits."""
    since = f"{state.since.astimezone():%Y-%m-%d %H:%M %Z}" if state.since else ""
    waiting = waiting_of(state)
    lost = _counted(state.dropped_ledger, state.dropped_points)
    waits = f"; still to be written{where}: {waiting}" if waiting else ""
    lost = f"{lost} are lost" if lost else "nothing is lost"
    return f"{state.sentence} History has not been written since {since}{waits}, {lost}."


def waiting_of(state: WriterState) -> str:
    """How much waits, "" where nothing does."""
    return _counted(state.pending_ledger, state.pending_points + state.pending_samples)


def _counted(records: int, telegrams: int) -> str:
    parts = [
        f"{count} {what}{'' if count == 1 else 's'}" for count, what in ((records, "record"), (telegrams, "telegram"))
    ]
    return " and ".join(part for part in parts if not part.startswith("0 "))
