"""Messages between readers and the central server: JSON with a version, and their topics.

    iskra/v1/READER/quarters   closed quarters of one meter; answered once they are in the database
    iskra/v1/READER/kept       the answers: kept, waits (with the reason; sent again later) or refused
    iskra/v1/READER/live       current power and counters of a meter; not answered
    iskra/v1/READER/status     state of the reader's sources; "offline" is its will

A reader that is newer than the collector is told to wait: its version is higher, or its quarters have fields that the
collector does not know. Unknown fields of live values and of a status are ignored.

Meter, register and quarter identify a row, so messages may arrive twice and in any order. A number is an integer and
a power of ten, as the meter sent it.

The correlation data of a message, which its answer repeats, are the session of the reader and the number of the message
in it. A session is one run of the program: an answer to another reader of the same name is not taken for its own.
Readers of the first protocol sent the number alone, and forgot the quarters after every answer with a text.
"""

import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from iskra_server.history.model.records import (
    INT64_MAX,
    QUALITIES,
    EpochStart,
    Exact,
    MeterInfo,
    PowerQuarter,
    QuarterReading,
    Record,
)
from iskra_server.meter.obis import Obis

VERSION = 1
# in the year 2200; the overflow of a 32-bit clock lies far beyond it
_MAX_QUARTER = 8_065_000

Quarter = Annotated[int, Meta(ge=0, le=_MAX_QUARTER)]
Int64 = Annotated[int, Meta(ge=-INT64_MAX - 1, le=INT64_MAX)]
Scaler = Annotated[int, Meta(ge=-18, le=18)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Seconds = Annotated[int, Meta(ge=0, le=_MAX_QUARTER * 900)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
# a meter has a dozen counters; a reader sends at most a day of one meter, and sends less where it is refused
_MAX_REGISTERS, _MAX_ROWS, _MAX_EPOCHS = 100, 200, 2_000
_SESSION_BYTES, _NUMBER_BYTES = 8, 4
_NOT_IN_NAMES = frozenset("/+#$\0 ")
_MAX_NAME, _MAX_MACHINE = 100, 63


# how msgspec words a field, and a value of a row, that its type does not have
_SIGNS_OF_NEWER = ("unknown field", "array` of at most length")


class _Versioned(Struct):
    v: int


class CounterRow(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A counter at the beginning of a quarter; `quality` is the number in the database."""

    quarter: Quarter
    raw: Int64
    scaler: Scaler
    quality: Annotated[int, Meta(ge=0, le=1)]
    epoch: Count


class PowerRow(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    quarter: Quarter
    min_mw: Int64
    mean_mw: Int64
    max_mw: Int64
    telegrams: Count


class EpochRow(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    obis: Name
    epoch: Count
    at_s: Seconds
    after_raw: Int64
    after_scaler: Scaler
    before_raw: Int64 | None = None
    before_scaler: Scaler | None = None


class ClosedQuarters(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Closed quarters of one meter."""

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    meter: Name
    server_id: Annotated[str, Meta(max_length=100)]
    seen: tuple[Seconds, Seconds]
    counters: Annotated[
        dict[str, Annotated[list[CounterRow], Meta(max_length=_MAX_ROWS)]], Meta(max_length=_MAX_REGISTERS)
    ] = {}
    power: Annotated[list[PowerRow], Meta(max_length=_MAX_ROWS)] = []
    epochs: Annotated[list[EpochRow], Meta(max_length=_MAX_EPOCHS)] = []
    simulated: bool = False
    # random, of the reader's history: the epochs of two histories have nothing to do with each other
    ledger: Annotated[str, Meta(max_length=64)] = ""


class LiveValues(Struct, frozen=True, omit_defaults=True):
    """Current values of a meter; `counters` has raw and scaler by register."""

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    meter: Name
    at_s: Seconds
    power_mw: Int64 | None = None
    counters: Annotated[dict[str, tuple[int, int]], Meta(max_length=_MAX_REGISTERS)] = {}


class ReaderSource(Struct, frozen=True, omit_defaults=True):
    """A source of a reader: `broken` is the first check that fails, `sentence` says what to do.

    `sentence_de` is the same in German, where something is wrong. Readers of the first versions do not send it.
    """

    source: str
    meter: str | None
    ok: bool
    broken: str | None
    sentence: str
    sentence_de: str = ""


class ReaderStatus(Struct, frozen=True, omit_defaults=True):
    """`waiting` and `refused` quarters are at the reader alone, the oldest since `oldest_s`. None: it does not say."""

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    at_s: Seconds
    version: str
    sources: list[ReaderSource]
    waiting: Count | None = None
    refused: Count | None = None
    oldest_s: Seconds | None = None


class NewerMessage(ValueError):
    """A newer reader sent it. A part of it is not stored while the rest is not understood."""


class Receipt(Struct, frozen=True, omit_defaults=True):
    """What became of a message. `waits`: it is right, but cannot be stored now; `refused`: it never can."""

    state: Literal["kept", "waits", "refused"]
    reason: str = ""


class Correlation(Struct, frozen=True):
    """The correlation data of a message: who sent it and which it is. `session` is empty where readers sent none."""

    session: bytes
    number: int

    def __bytes__(self) -> bytes:
        return self.session + self.number.to_bytes(_NUMBER_BYTES)


def new_session() -> bytes:
    """The session of a program that has just started."""
    return secrets.token_bytes(_SESSION_BYTES)


def correlation(data: bytes) -> Correlation | None:
    """None where these are not correlation data of a reader."""
    session, number = data[:-_NUMBER_BYTES], data[-_NUMBER_BYTES:]
    if len(number) != _NUMBER_BYTES or len(session) not in (0, _SESSION_BYTES):
        return None
    return Correlation(session, int.from_bytes(number))


def encode_receipt(receipt: Receipt) -> bytes:
    """Nothing where it is kept: what readers of every version understand."""
    return b"" if receipt.state == "kept" else encode(receipt)


def decode_receipt(payload: bytes) -> Receipt:
    """A collector of the first protocol sends the reason of a refusal as it is."""
    if not payload:
        return Receipt("kept")
    try:
        return _decode_receipt(payload)
    except ValueError:
        return Receipt("refused", payload.decode(errors="replace"))


class ReaderTopics(Struct, frozen=True):
    """The topics of one reader: topics["quarters"] is iskra/v1/READER/quarters."""

    base: str
    reader: str

    def __getitem__(self, kind: str) -> str:
        return f"{self.base}/{self.reader}/{kind}"


def check_reader_name(name: str) -> str:
    """The name. Raises ValueError where no topic can hold it."""
    if not _is_reader_name(name):
        raise ValueError(f"the reader's name '{name}' cannot be part of a topic; choose letters, digits, - and .")
    return name


def default_reader_name(user: str | None) -> str:
    """Its user at the broker, else the name of its machine with four random digits: two readers may be copies."""
    if user and _is_reader_name(user):
        return user
    machine = "".join(character for character in socket.gethostname() if character not in _NOT_IN_NAMES)
    return f"{machine[:_MAX_MACHINE] or 'reader'}-{secrets.token_hex(2)}"


def _is_reader_name(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME and not set(name) & _NOT_IN_NAMES


def quarters(info: MeterInfo, records: Iterable[Record], ledger: str = "") -> ClosedQuarters:
    """The message with these records of one meter."""
    counters: dict[str, list[CounterRow]] = {}
    power, epochs = [], []
    for record in records:
        match record:
            case QuarterReading(_, obis, quarter, value, quality, epoch):
                row = CounterRow(quarter, value.raw, value.scaler, QUALITIES.index(quality), epoch)
                counters.setdefault(str(obis), []).append(row)
            case PowerQuarter(_, quarter, min_mw, mean_mw, max_mw, count):
                power.append(PowerRow(quarter, min_mw, mean_mw, max_mw, count))
            case EpochStart(_, obis, epoch, at_s, before, after):
                last = (before.raw, before.scaler) if before else ()
                epochs.append(EpochRow(str(obis), epoch, at_s, after.raw, after.scaler, *last))
    seen = info.first_s, info.last_s
    return ClosedQuarters(VERSION, info.meter_id, info.server_id, seen, counters, power, epochs, info.simulated, ledger)


def info(message: ClosedQuarters) -> MeterInfo:
    return MeterInfo(message.meter, message.server_id, message.simulated, *message.seen)


def records(message: ClosedQuarters) -> Iterator[Record]:
    """The records in a message. Raises ValueError for an invalid OBIS code."""
    meter = message.meter
    for code, values in message.counters.items():
        obis = _obis(code)
        for row in values:
            quality = QUALITIES[row.quality]
            yield QuarterReading(meter, obis, row.quarter, Exact(row.raw, row.scaler), quality, row.epoch)
    for power in message.power:
        yield PowerQuarter(meter, power.quarter, power.min_mw, power.mean_mw, power.max_mw, power.telegrams)
    for start in message.epochs:
        before = None if start.before_raw is None else Exact(start.before_raw, start.before_scaler or 0)
        after = Exact(start.after_raw, start.after_scaler)
        yield EpochStart(meter, _obis(start.obis), start.epoch, start.at_s, before, after)


# every message names the same few registers
_obis = lru_cache(maxsize=256)(Obis.parse)


def decode_quarters(payload: bytes) -> ClosedQuarters:
    """Raises NewerMessage, and another ValueError for what no reader sends."""
    try:
        message = _decode_quarters(payload)
    except msgspec.ValidationError as error:
        if _decode_version(payload).v > VERSION or any(sign in str(error) for sign in _SIGNS_OF_NEWER):
            raise NewerMessage(
                f"this collector does not understand it ({error}): it is older than the reader. "
                "Update the central server; the quarter-hours wait until then"
            ) from None
        raise
    _check_meter_name(message.meter + message.server_id)
    return message


def decode_live(payload: bytes) -> LiveValues:
    """Raises ValueError for what no reader sends."""
    message = _decode_live(payload)
    _check_meter_name(message.meter)
    return message


def _check_meter_name(name: str) -> None:
    if not name.isprintable():
        raise ValueError("the name of the meter has control characters")


_Decoded = TypeVar("_Decoded")


def _decoder(kind: type[_Decoded]) -> Callable[[bytes], _Decoded]:
    decode = msgspec.json.Decoder(kind).decode

    def decode_flat(payload: bytes) -> _Decoded:
        try:
            return decode(payload)
        except RecursionError:
            # no ValueError, so it would end the program that receives the message
            raise ValueError("its brackets are nested too deeply") from None

    return decode_flat


encode = msgspec.json.encode
_decode_quarters = _decoder(ClosedQuarters)
_decode_version = _decoder(_Versioned)
_decode_live = _decoder(LiveValues)
decode_status = _decoder(ReaderStatus)
_decode_receipt = _decoder(Receipt)
