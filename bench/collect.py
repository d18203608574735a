"""The road to a centre: how many messages a collector writes, how soon a backlog is in, how quickly a group is summed.

    python bench/collect.py [meters] [queries' meters] [queries' days]

Readers are one process that sends what so many of them would: the quarter of each meter (three rows) with a live value,
through a real Mosquitto, collected by one `iskra-server collect` and by two, into a real PostgreSQL that syncs its
commits. Then a day that all of them were away (96 quarters a message). COPY of the same rows into the same table, one
connection, is the limit that a share is named of. Last, questions by what the routes call, on a ledger that the
database itself has filled.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from threading import Event

# in the place of bench/, where history.py is another thing
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import os

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from starlette.datastructures import QueryParams

from history.postgres import Postgres, running
from iskra_server.fleet import protocol
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central.answers import energy_of
from iskra_server.fleet.central.queries import Group
from iskra_server.history.model.records import Exact, MeterInfo, PowerQuarter, QuarterReading, Record
from iskra_server.history.store.store import Store
from iskra_server.web.http.query import Query
from outputs.mqtt.broker import Mosquitto
from running import COMMAND, until
from samples import EXPORT, IMPORT

METERS = 10_000
QUERY_METERS, QUERY_DAYS = 1000, 365
FIRST = 1_990_000 // 96 * 96
QUEUES = ("max_inflight_messages 1000", "max_queued_messages 0")
TABLES = "boundary, power, epoch, live, meter, series, refused, reader, label, outbox"
WINDOW = 4000


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    meters, query_meters, days = given + [METERS, QUERY_METERS, QUERY_DAYS][len(given) :]
    with tempfile.TemporaryDirectory() as directory, running() as postgres:
        postgres.stop()
        postgres.start(durable=True)
        broker = Mosquitto(Path(directory), *QUEUES, verbose=False).start()
        try:
            collecting(postgres, broker, meters)
        finally:
            broker.kill()
        asking(postgres, query_meters, days)


def collecting(postgres: Postgres, broker: Mosquitto, meters: int) -> None:
    store = Store(postgres.database())
    quarter, day = [FIRST], list(range(FIRST, FIRST + 96))
    print(f"{meters} readers of one meter: a quarter has 3 rows, a message a quarter; with a live value each")
    for collectors in (1, 2):
        seconds, sent = timed(postgres, broker, collectors, meters, quarter, live=True)
        print(f"  {collectors} collectors: {2 * sent / seconds:7.0f} messages/s, all in after {seconds:.1f} s")
    print("a day away, 96 quarters a message")
    for collectors in (1, 2):
        seconds, sent = timed(postgres, broker, collectors, meters, day, live=False)
        rate = sent * 96 * 3 / seconds
        print(f"  {collectors} collectors: {rate:7.0f} rows/s, {sent} meters in after {seconds:.1f} s")
        if collectors == 1:
            alone = rate
    limit = copied(postgres, meters)
    print(f"  COPY of boundary rows, one connection: {limit:.0f} rows/s; share of one collector {alone / limit:.0%}")
    store.close()


def timed(
    postgres: Postgres, broker: Mosquitto, collectors: int, meters: int, quarters: list[int], *, live: bool
) -> tuple[float, int]:
    """Seconds until everything is in the database, with the answers sent, and how many meters were sent."""
    postgres.run(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
    payloads = [parcel(place, quarters) for place in range(meters)]
    with collected(postgres, broker, collectors), psycopg.connect(postgres.url("postgres"), autocommit=True) as asking:
        began = time.monotonic()
        send(broker, payloads, meters if live else 0)
        wanted = meters * len(quarters)
        until(lambda: asking.execute("SELECT count(*) FROM power").fetchone()[0] == wanted, 600)  # type: ignore[index]
        return time.monotonic() - began, meters


def parcel(place: int, quarters: list[int]) -> bytes:
    name = f"1 ISK 00 {place:08}"
    rows: list[Record] = []
    for quarter in quarters:
        rows.append(QuarterReading(name, IMPORT, quarter, Exact(quarter * 37 + place, -1), "measured"))
        rows.append(QuarterReading(name, EXPORT, quarter, Exact(quarter + place, -1), "measured"))
        rows.append(PowerQuarter(name, quarter, 0, 300_000, 900_000, 900))
    return protocol.encode(protocol.quarters(MeterInfo(name, "0901", False, 1, FIRST * 900), rows))


def send(broker: Mosquitto, payloads: list[bytes], live: int) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(WINDOW)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    last = None
    for place, payload in enumerate(payloads):
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic, properties.CorrelationData = f"iskra/v1/reader{place}/kept", b"0001"
        last = client.publish(f"iskra/v1/reader{place}/quarters", payload, qos=1, properties=properties)
        if place < live:
            said = protocol.LiveValues(1, f"1 ISK 00 {place:08}", FIRST * 900, 300_000)
            client.publish(f"iskra/v1/reader{place}/live", protocol.encode(said), qos=0)
    assert last
    last.wait_for_publish(300)
    client.disconnect()
    client.loop_stop()


@contextmanager
def collected(postgres: Postgres, broker: Mosquitto, count: int) -> Iterator[None]:
    environ = os.environ | {"IES_COLLECT_URL": broker.url, "IES_DATABASE_URL": postgres.url("postgres")}
    processes = [
        subprocess.Popen([COMMAND, "collect"], env=environ, stderr=subprocess.PIPE, text=True) for _ in range(count)
    ]
    try:
        for process in processes:
            assert process.stderr
            until(lambda process=process: "Collecting from" in process.stderr.readline(), 30)
        Event().wait(0.5)
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)
            assert process.stderr
            process.stderr.close()


def copied(postgres: Postgres, meters: int) -> float:
    """Rows a second that COPY writes into boundary, with the same indexes and partitions, in one transaction."""
    postgres.run("TRUNCATE boundary")
    lines = "".join(
        f"{series}\t{quarter}\t{quarter * 37 + series}\t-1\t0\t0\n"
        for series in range(1, 2 * meters + 1)
        for quarter in range(FIRST, FIRST + 48)
    ).encode()
    with psycopg.connect(postgres.url("postgres")) as connection, connection.cursor() as cursor:
        began = time.monotonic()
        with cursor.copy("COPY boundary FROM STDIN") as copy:
            for start in range(0, len(lines), 1 << 20):
                copy.write(lines[start : start + (1 << 20)])
        connection.commit()
        return 2 * meters * 48 / (time.monotonic() - began)


def asking(postgres: Postgres, meters: int, days: int) -> None:
    store = Store(postgres.database())
    filled(postgres, store, meters, days)
    print(f"{meters} meters with two counters, {days} days of quarters, all in one group, 100 of them in another")
    questions = {
        "a month by day, the whole": lambda: energy_of(store, month_of("building:all"), None),
        "a month by day, 100 meters": lambda: energy_of(store, month_of("tenant:some"), None),
        "first page of the list": lambda: fleet.meters(store, limit=50),
        "first page of a group": lambda: fleet.meters(store, limit=50, group=Group("tenant", "some")),
    }
    for name, question in questions.items():
        times = []
        for _ in range(300):
            began = time.monotonic()
            assert question()
            times.append((time.monotonic() - began) * 1000)
        hundredths = quantiles(times, n=100)
        print(f"  {name:28} p50 {hundredths[49]:6.1f} ms  p99 {hundredths[98]:6.1f} ms")
    store.close()


def month_of(group: str) -> Query:
    """31 days, by day, as it is asked over HTTP."""
    begin, end = (f"{datetime.fromtimestamp((FIRST + 96 * day) * 900, UTC):%Y-%m-%d}" for day in (31, 62))
    asked = {"group": group, "from": begin, "to": end, "bucket": "day", "tz": "UTC"}
    return Query(QueryParams(asked), asked, now=datetime.now(UTC), tz="UTC")


def filled(postgres: Postgres, store: Store, meters: int, days: int) -> None:
    """A ledger in the order in which a centre writes it: quarter by quarter."""
    end = FIRST + days * 96
    store.make_partitions(since_s=FIRST * 900, ahead=(days // 28) + 1)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        for statement in (
            f"INSERT INTO meter SELECT g, '1 ISK 00 ' || g, '', false, 1, 2 FROM generate_series(1, {meters}) g",
            "INSERT INTO series SELECT id, id, '1-0:1.8.0*255' FROM meter",
            f"INSERT INTO series SELECT id + {meters}, id, '1-0:2.8.0*255' FROM meter",
            "INSERT INTO live SELECT id, 'reader' || id, 1790000000 + id % 900, 300000 FROM meter",
            "INSERT INTO label SELECT id, 'building', 'all' FROM meter",
            f"INSERT INTO label SELECT id, 'tenant', 'some' FROM meter WHERE id % {max(meters // 100, 1)} = 0",
            f"INSERT INTO boundary SELECT s, q, q::bigint * 37 + s, -1, 0, 0 "
            f"FROM generate_series({FIRST}, {end}) q, generate_series(1, {2 * meters}) s",
            "VACUUM ANALYZE",
            # what was written lies on the disk before anything is asked
            "CHECKPOINT",
        ):
            connection.execute(statement.encode())


if __name__ == "__main__":
    main()
