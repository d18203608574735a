"""Writes batches of messages, in a thread: repeats them while the database is away, and finds the ones that fail.

outage of the database or its connection    the same batch again, with growing delays
the content of a message                    halves until it is alone; refused, and stored in the table `refused`
anything else                               halves until it is alone; it waits, so that the others go on
"""

import logging
import time
from collections.abc import Callable, Sequence
from threading import Event

from msgspec import Struct

from iskra_server.base.backoff import Backoff
from iskra_server.fleet.central.ingest import ReceivedMessage, ingest, refuse
from iskra_server.fleet.central.reader_state import Notice
from iskra_server.fleet.central.tables import IngestBatch, LastContact, write_batch
from iskra_server.fleet.protocol import Receipt
from iskra_server.history.store import StoreError
from iskra_server.history.store.database_errors import database_message, is_data_error, is_outage
from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)

_RETRY_S, _MAX_RETRY_S = 0.5, 15.0
_KEPT = Receipt("kept")
# the reader is told neither the address nor the user of the database
_LATER = "the central server cannot store it now; its log says why"


class WrittenMessages(Struct):
    """Receipts of messages, in their order; None where the writer was stopped before the message was written."""

    receipts: list[Receipt | None]
    notices: list[Notice] = []
    conflicts: int = 0
    live: int = 0

    def __add__(self, other: "WrittenMessages") -> "WrittenMessages":
        return WrittenMessages(
            self.receipts + other.receipts,
            self.notices + other.notices,
            self.conflicts + other.conflicts,
            self.live + other.live,
        )


class BatchWriter:
    """`away_since_s` (Unix seconds) and `sentence` say since when and why nothing is written; None and "" else."""

    def __init__(self, store: Store, stopping: Event) -> None:
        self.away_since_s: float | None = None
        self.sentence = ""
        self._store = store
        self._stopping = stopping

    def write(self, messages: Sequence[ReceivedMessage], contacts: Sequence[LastContact] = ()) -> WrittenMessages:
        """Blocks until everything is written, or until `stopping`."""
        if messages and contacts:
            # both change rows of `live`, in two passes: in one transaction, two collectors would deadlock
            written = self.write(messages)
            return written if None in written.receipts else written + self.write((), contacts)
        try:
            return self._commit(len(messages), len(contacts), lambda: ingest(messages, contacts))
        except Exception as error:
            if (half := max(len(messages), len(contacts)) // 2) > 0:
                return self.write(messages[:half], contacts[:half]) + self.write(messages[half:], contacts[half:])
            if messages:
                return self._set_aside(messages[0], error)
            log.warning("A live value is not stored: %s", error)
            return WrittenMessages([])

    def _set_aside(self, received: ReceivedMessage, error: Exception) -> WrittenMessages:
        """The one message that failed."""
        if isinstance(error, StoreError) and is_data_error(error):
            batch = IngestBatch()
            refuse(batch, 0, received, f"it cannot be stored: {database_message(error)}")
            try:
                return self._commit(1, 0, lambda: batch)
            except StoreError as again:
                error = again
        is_bug = not isinstance(error, StoreError)
        log.error("A message to %s waits: %s", received.topic, error, exc_info=error if is_bug else None)
        return WrittenMessages([Receipt("waits", _LATER)])

    def _commit(self, messages: int, contacts: int, decode: Callable[[], IngestBatch]) -> WrittenMessages:
        """Repeats during an outage. Raises every other error."""
        backoff = Backoff(_RETRY_S, _MAX_RETRY_S)
        while True:
            try:
                outcome = write_batch(self._store, decode())
            except StoreError as error:
                if not is_outage(error):
                    raise
                self._report_outage(str(error))
                if self._stopping.wait(backoff.next_s()):
                    return WrittenMessages([None] * messages)
            else:
                self._report_recovery()
                receipts = [outcome.receipts.get(position, _KEPT) for position in range(messages)]
                return WrittenMessages([*receipts], outcome.notices, outcome.conflicts, contacts)

    def _report_outage(self, sentence: str) -> None:
        self.away_since_s = self.away_since_s or time.time()
        if sentence != self.sentence:
            self.sentence = sentence
            log.warning("%s Nothing is lost; the collector tries again.", sentence)

    def _report_recovery(self) -> None:
        if self.away_since_s is not None:
            log.info("The database is back after %.0f s.", time.time() - self.away_since_s)
            self.away_since_s, self.sentence = None, ""
