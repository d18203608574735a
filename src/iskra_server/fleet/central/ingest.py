"""Decodes messages of readers into one batch for the database; refuses, with the reason, what cannot be decoded."""

import time
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from iskra_server.fleet import protocol
from iskra_server.fleet.central.tables import IngestBatch, LastContact, ReaderState, Refusal

# a day of a meter has some 10 kB, a source of a reader up to 500 bytes: no reader sends more than this
MAX_BYTES = 1 << 20
_MAX_BYTES = {"quarters": MAX_BYTES, "live": 1 << 14, "status": MAX_BYTES}
# of a refused message so much is stored
_STORED_BYTES = 4096
_OFFLINE = b"offline"
_OK = "All sources are read."
_DISCONNECTED = "The reader is not connected to the broker. Check its power and its network."


class ReceivedMessage(Struct, frozen=True):
    """An MQTT message. `connection` counts connections; `mid` is its number there, None where it needs no ack.

    `answer_to` is the response topic, `number` the correlation data (MQTT 5).
    """

    topic: str
    payload: bytes
    mid: int | None = None
    connection: int = 0
    answer_to: str = ""
    number: bytes = b""

    @property
    def reader(self) -> str:
        return self.topic.split("/")[-2]

    @property
    def kind(self) -> str:
        return self.topic.rpartition("/")[2]


def ingest(messages: Iterable[ReceivedMessage], now_s: int | None = None) -> IngestBatch:
    """The content of these messages, in their order; `reasons` are by position in them."""
    batch, now_s = IngestBatch(), int(time.time()) if now_s is None else now_s
    for position, received in enumerate(messages):
        try:
            if len(received.payload) > _MAX_BYTES[received.kind]:
                raise ValueError(f"it has {len(received.payload)} bytes; the limit is {_MAX_BYTES[received.kind]}")
            _HANDLERS[received.kind](received, batch, now_s)
        # RecursionError: deeply nested brackets
        except (msgspec.DecodeError, ValueError, KeyError, RecursionError) as error:
            refuse(batch, position, received, _reason(error), now_s)
    return batch


def refuse(batch: IngestBatch, position: int, received: ReceivedMessage, reason: str, now_s: int) -> None:
    batch.reasons[position] = reason
    batch.refused.append(Refusal(now_s, received.topic, reason, received.payload[:_STORED_BYTES]))


def _add_quarters(received: ReceivedMessage, batch: IngestBatch, now_s: int) -> None:
    quarters = protocol.decode_quarters(received.payload)
    # decoded before the first is added: a message is stored whole or not at all
    batch.records += list(protocol.records(quarters))
    batch.meters.append(protocol.info(quarters))
    # a reader's clock may be wrong, so no contact lies in the future; a backlog is no contact of now
    batch.contacts.append(LastContact(quarters.meter, received.reader, min(quarters.seen[1], now_s)))


def _add_live(received: ReceivedMessage, batch: IngestBatch, now_s: int) -> None:
    live = protocol.decode_live(received.payload)
    batch.contacts.append(LastContact(live.meter, received.reader, now_s, live.power_mw, is_live=True))


def _add_status(received: ReceivedMessage, batch: IngestBatch, now_s: int) -> None:
    if received.payload == _OFFLINE:
        batch.readers.append(ReaderState(received.reader, now_s, False, _DISCONNECTED, "[]"))
        return
    sources = protocol.decode_status(received.payload).sources
    sentence = next((source.sentence for source in sources if not source.ok), _OK)
    ok = all(source.ok for source in sources)
    batch.readers.append(ReaderState(received.reader, now_s, ok, sentence, protocol.encode(sources).decode()))


_HANDLERS = {"quarters": _add_quarters, "live": _add_live, "status": _add_status}


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return "this kind of message is unknown"
    return str(error)[:200] or type(error).__name__
