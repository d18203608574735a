"""Decodes messages of readers into one batch for the database.

What cannot be decoded is refused with the reason. What a newer reader sends waits for a newer collector.
"""

from collections.abc import Iterable

from msgspec import Struct

from iskra_server.base.one_line import one_line
from iskra_server.diagnosis.advice import advise
from iskra_server.fleet import protocol
from iskra_server.fleet.central.admission import ReceivedQuarters
from iskra_server.fleet.central.reader_state import ReaderMessage, ReaderState
from iskra_server.fleet.central.tables import IngestBatch, LastContact, Refusal
from iskra_server.fleet.protocol import Receipt
from iskra_server.history.model.records import seen_by, start_s

# a day of a meter has some 10 kB, a source of a reader up to 900 bytes: no reader sends more than this
MAX_BYTES = 1 << 20
_MAX_BYTES = {"quarters": MAX_BYTES, "live": 1 << 14, "status": MAX_BYTES}
# the primary key of a table cannot hold the 65,535 bytes of a topic
_MAX_NAME = 100
# of what a reader says of itself, which an administrator's terminal shows
_MAX_SENTENCE, _MAX_VERSION = 1_000, 100
_OFFLINE = b"offline"
_OK, _DISCONNECTED = str(advise("reader_well").en), str(advise("reader_disconnected").en)


class ReceivedMessage(Struct, frozen=True):
    """An MQTT message that arrived at `at_s` (Unix seconds, by the clock of the collector).

    `connection` counts connections; `mid` is its number there, None where it needs no ack. `answer_to` is the response
    topic, `correlation_data` are what its answer repeats (MQTT 5).
    """

    topic: str
    payload: bytes
    at_s: int
    mid: int | None = None
    connection: int = 0
    answer_to: str = ""
    correlation_data: bytes = b""

    @property
    def reader(self) -> str:
        return self.topic.split("/")[-2]

    @property
    def kind(self) -> str:
        return self.topic.rpartition("/")[2]

    @property
    def session(self) -> bytes:
        """Empty for readers of the first protocol."""
        sender = protocol.correlation(self.correlation_data)
        return sender.session if sender else b""


def ingest(messages: Iterable[ReceivedMessage], contacts: Iterable[LastContact] = ()) -> IngestBatch:
    """The content of these messages, in their order, with contacts of live values; `receipts` are by position."""
    batch = IngestBatch(contacts=[*contacts])
    for position, received in enumerate(messages):
        try:
            _check_size(received)
            _HANDLERS[received.kind](position, received, batch)
        except protocol.NewerMessage as error:
            batch.receipts[position] = Receipt("waits", str(error))
        except (ValueError, KeyError) as error:
            refuse(batch, position, received, _reason(error))
    return batch


def refuse(batch: IngestBatch, position: int, received: ReceivedMessage, reason: str) -> None:
    batch.receipts[position] = Receipt("refused", reason)
    batch.refused.append(Refusal(received.at_s, received.topic, reason, received.payload[:MAX_BYTES]))


def live_contact(received: ReceivedMessage) -> LastContact:
    """Raises ValueError where this is no live message."""
    _check_size(received)
    live = protocol.decode_live(received.payload)
    return LastContact(live.meter, received.reader, received.at_s, live.power_mw, is_live=True)


def _check_size(received: ReceivedMessage) -> None:
    """Raises ValueError."""
    limit = _MAX_BYTES.get(received.kind, 0)
    if len(received.payload) > limit:
        raise ValueError(f"it has {len(received.payload)} bytes; the limit is {limit}")
    if len(received.reader) > _MAX_NAME:
        raise ValueError(f"the name of the reader has more than {_MAX_NAME} characters")
    if not received.reader or not received.reader.isprintable():
        raise ValueError("the reader has no name that can be shown")


def _add_quarters(position: int, received: ReceivedMessage, batch: IngestBatch) -> None:
    message = protocol.decode_quarters(received.payload)
    if any(len({row.quarter for row in rows}) < len(rows) for rows in message.counters.values()):
        raise ValueError("it has two values of a counter for the same quarter-hour")
    records = tuple(protocol.records(message))
    meter = seen_by(protocol.info(message), records)
    # the reader may note only once a day when it has seen its meter; a backlog is no contact of now
    seen_s = max(meter.last_s, *(start_s(record) for record in records), 0)
    batch.quarters.append(
        ReceivedQuarters(
            position=position,
            reader=received.reader,
            session=received.session,
            at_s=received.at_s,
            # a reader's clock may be wrong, so no contact lies in the future
            seen_s=min(seen_s, received.at_s),
            ledger=message.ledger,
            meter=meter,
            records=records,
        )
    )


def _add_status(position: int, received: ReceivedMessage, batch: IngestBatch) -> None:
    batch.readers.append(ReaderMessage(position, received.reader, received.session, received.at_s, _state(received)))


def _state(received: ReceivedMessage) -> ReaderState:
    name, at_s = received.reader, received.at_s
    if received.payload == _OFFLINE:
        return ReaderState(name=name, at_s=at_s, ok=False, sentence=_DISCONNECTED, status="[]", is_offline=True)
    status = protocol.decode_status(received.payload)
    sentence = next((source.sentence for source in status.sources if not source.ok), _OK)
    return ReaderState(
        name=name,
        at_s=at_s,
        ok=all(source.ok for source in status.sources),
        sentence=one_line(sentence, _MAX_SENTENCE),
        status=protocol.encode(status.sources).decode(),
        version=one_line(status.version, _MAX_VERSION),
        skew_s=status.at_s - at_s,
        waiting=status.waiting,
        refused=status.refused,
        oldest_s=status.oldest_s,
    )


_HANDLERS = {"quarters": _add_quarters, "status": _add_status}


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return "this kind of message is unknown"
    return one_line(str(error)) or type(error).__name__
