"""What messages say, as a batch for the database; what cannot be read is kept with its reason."""

import time
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from iskra_server.fleet import messages as message
from iskra_server.fleet.central.store import Batch, Heard, ReaderState, Refusal
from iskra_server.history.model.records import MeterInfo, Record

# more is no message of a reader's: a day of a meter has some 10 kB, a source of a reader up to 500 bytes
LARGEST = 1 << 20
_LARGEST = {"quarters": LARGEST, "live": 1 << 14, "status": LARGEST}
_KEPT_BYTES = 4096
_OFFLINE = b"offline"
_WELL = "All sources are read."
_GONE = "The reader is not connected to the broker. Check its power and its network."


class ReceivedMessage(Struct, frozen=True):
    """A message as it came; `connection` counts connections, `mid` is its number there, None where nobody acks it."""

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


class IngestBatch(Struct):
    """The parts of a batch, while it is gathered; `reasons` says of refused messages why."""

    records: list[Record] = []
    meters: list[MeterInfo] = []
    heard: list[Heard] = []
    readers: list[ReaderState] = []
    refused: list[Refusal] = []
    reasons: dict[int, str] = {}

    def batch(self) -> Batch:
        return Batch(self.records, self.meters, self.heard, self.readers, self.refused)


def take(messages: Iterable[ReceivedMessage], now_s: int | None = None) -> IngestBatch:
    """What these messages say, in their order."""
    taken, now_s = IngestBatch(), int(time.time()) if now_s is None else now_s
    for place, came in enumerate(messages):
        try:
            if len(came.payload) > _LARGEST[came.kind]:
                raise ValueError(f"it has {len(came.payload)} bytes, {_LARGEST[came.kind]} are the most")
            _READ[came.kind](came, taken, now_s)
        # RecursionError: brackets in brackets
        except (msgspec.DecodeError, ValueError, KeyError, RecursionError) as error:
            refuse(taken, place, came, _reason(error), now_s)
    return taken


def refuse(taken: IngestBatch, place: int, came: ReceivedMessage, reason: str, now_s: int) -> None:
    taken.reasons[place] = reason
    taken.refused.append(Refusal(now_s, came.topic, reason, came.payload[:_KEPT_BYTES]))


def _quarters(came: ReceivedMessage, taken: IngestBatch, now_s: int) -> None:
    said = message.decode_quarters(came.payload)
    # all of it or nothing
    taken.records += list(message.records(said))
    taken.meters.append(message.info(said))
    # by the centre's clock, as a reader's may be wrong; a backlog is not a word of now
    taken.heard.append(Heard(said.meter, came.reader, min(said.seen[1], now_s)))


def _live(came: ReceivedMessage, taken: IngestBatch, now_s: int) -> None:
    said = message.decode_live(came.payload)
    taken.heard.append(Heard(said.meter, came.reader, now_s, said.power_mw))


def _status(came: ReceivedMessage, taken: IngestBatch, now_s: int) -> None:
    if came.payload == _OFFLINE:
        taken.readers.append(ReaderState(came.reader, now_s, False, _GONE, "[]"))
        return
    said = message.decode_status(came.payload)
    sentence = next((source.sentence for source in said.sources if not source.ok), _WELL)
    ok = all(source.ok for source in said.sources)
    taken.readers.append(ReaderState(came.reader, now_s, ok, sentence, message.encode(said.sources).decode()))


_READ = {"quarters": _quarters, "live": _live, "status": _status}


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return "nothing of this kind is known here"
    return str(error)[:200] or type(error).__name__
