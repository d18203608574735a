"""Processes that write history as fast as they can, say what is safe, and are killed."""

import asyncio
import multiprocessing
import random
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from msgspec.structs import replace

from history.entries import AT_S, METER, block, quarter_reading
from iskra_server.history.model.records import Record
from iskra_server.history.points.points import unpack
from iskra_server.history.recording.history_spool import HistorySpool
from iskra_server.history.recording.recorder import Recorder
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from iskra_server.meter.reading import Sample
from samples import EXPORT, IMPORT, METER_ID, START, energy, power, sample

# a clock that runs so many times faster, a telegram each, and how long they wait by that clock
SPEED = 600
TELEGRAM_S, FLUSH_S = 0.001, 60
TOGETHER_S = 0.002
MAX_S = 0.15
# quarters that are handed over at once
MAX_TOGETHER = 5
_END = 2**31 - 1
_DEADLINE_S = 60
_PRELOADED = ["iskra_server.history.recording.recorder", "iskra_server.history.store.migrations", "psycopg"]

Load = Callable[[str, Connection], None]


def quarter_of_records(number: int) -> list[Record]:
    """What the quarter of this number closes; every value follows from the number."""
    data = random.Random(number).randbytes(600)
    imported, exported = (
        quarter_reading(number, raw=1234 * number),
        quarter_reading(number, raw=7 * number, obis=EXPORT),
    )
    return [imported, exported, block(AT_S + 900 * number, data)]


def write_for_ever(address: str, safe: Connection) -> None:
    """Carry on where the last process was killed; send the number of each quarter that is written."""
    writer = Writer(lambda: Store(address), together_s=TOGETHER_S)
    last = _opened(writer).nearest_before(METER.meter_id, IMPORT, _END)
    number = last.quarter if last else 0
    while True:
        for _ in range(random.randint(1, MAX_TOGETHER)):
            writer.enqueue(quarter_of_records(number), METER)
            number += 1
        while writer.state.pending_ledger:
            time.sleep(0.0005)
        safe.send(number - 1)


def spool_for_ever(folder: str, safe: Connection) -> None:
    """The database is away; send the number of each quarter that is on the disk, going on behind the last one."""
    writer = Writer(_away, first_retry_s=TOGETHER_S, spool_after_s=0, spool=HistorySpool([Path(folder)]))
    writer.start()
    writer.tried.wait()
    # a quarter is two boundaries and a block of 60 telegrams; the last one may be there by half, and is kept again
    number = min(writer.spool.records // 2, writer.spool.telegrams // 60)
    while True:
        for _ in range(random.randint(1, MAX_TOGETHER)):
            writer.enqueue(quarter_of_records(number), METER)
            number += 1
        while writer.unwritten().ledger:
            time.sleep(0.0005)
        safe.send(number - 1)


def _away() -> Store:
    raise StoreError("The database is away.")


def drain(folder: Path, address: str) -> None:
    """The database is back."""
    spool = HistorySpool([folder])
    spool.open()
    with closing(Store(address)) as store:
        spool.replay(store.write)
    spool.close()
    assert (spool.records, spool.telegrams, spool.dropped) == (0, 0, (0, 0))


def record_for_ever(address: str, heard: Connection) -> None:
    """Record telegrams as the server does, by a faster clock; send the milliseconds of each before it is recorded."""
    # a block is handed over when it spans the interval; the writer has the usual clock and would wait for another
    writer = Writer(lambda: Store(address), flush_s=0, together_s=TOGETHER_S)
    _opened(writer)
    recorder = Recorder(writer=writer, flush_s=FLUSH_S, keep_points=True, simulated=False)
    asyncio.run(recorder.run(_telegrams(heard)))


async def _telegrams(heard: Connection) -> AsyncGenerator[Sample, None]:
    while True:
        passed_s = time.monotonic() * SPEED
        # by a clock that can be believed
        now_s = START.timestamp() + passed_s
        heard.send(int(now_s * 1000))
        arrived = sample(energy(int(passed_s)), power(int(passed_s) % 1000), at_s=passed_s)
        yield replace(arrived, received_at=datetime.fromtimestamp(now_s, UTC))
        await asyncio.sleep(TELEGRAM_S)


def _opened(writer: Writer) -> Store:
    writer.start()
    while writer.store is None:
        time.sleep(0.001)
    return writer.store


def kill(address: str, load: Load, *, while_working: bool, longest_s: float = MAX_S) -> list[int]:
    """Start a load and `kill -9` it at a random moment, of its start or of its work; the numbers that it sent."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    heard, said = context.Pipe(duplex=False)
    process = context.Process(target=load, args=(address, said))
    process.start()
    said.close()
    sent: list[int] = []
    if while_working:
        assert heard.poll(_DEADLINE_S)
    # a pipe that is full would stop the load
    end = time.monotonic() + random.uniform(0, longest_s)
    while (left_s := end - time.monotonic()) > 0:
        if heard.poll(left_s):
            sent.append(heard.recv())
    assert process.is_alive()
    process.kill()
    process.join()
    sent += _rest(heard)
    heard.close()
    return sent


def _rest(heard: Connection) -> list[int]:
    sent: list[int] = []
    try:
        while heard.poll(0):
            sent.append(heard.recv())
    except (EOFError, OSError):
        return sent
    return sent


def integrity(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(row[0] for row in connection.execute("PRAGMA integrity_check"))


def quarters_found(address: str, without_block: int = 0) -> int:
    """How many quarters a load has written; AssertionError where one is missing, wrong or half there.

    Of so many at the end the block may be missing.
    """
    with closing(Store(address)) as store:
        imported = store.quarter_readings_between(METER_ID, IMPORT, 0, _END)
        exported = store.quarter_readings_between(METER_ID, EXPORT, 0, _END)
        blocks = store.points_between(METER_ID, 0, 2**40)
        assert store.meters() == [METER]
    assert len(imported) == len(exported)
    assert 0 <= len(imported) - len(blocks) <= without_block
    found = [list(records) for records in zip(imported, exported, blocks, strict=False)]
    for number, records in enumerate(found):
        assert records == quarter_of_records(number)
    return len(found)


def gone_s(address: str, sent: list[int]) -> float:
    """How much of the end of what was recorded is not in the database, in seconds of the faster clock."""
    with closing(Store(address)) as store:
        blocks = store.last_points()
    newest = max((unpack(each.data)[-1].at_ms for each in blocks), default=0)
    return (sent[-1] - max(newest, sent[0])) / 1000
