"""The road to a central server: how many messages a collector writes, how soon a backlog is in, what it costs.

    python bench/collect.py [--meters 2000] [--against CHECKOUT]

Readers are one process that sends what so many of them would, through a real Mosquitto with the limits of
deploy/central/mosquitto.conf, collected by one `iskra-server collect` and by two, into a real PostgreSQL that syncs its
commits: the first quarter of each meter, the next one (three rows a message) with a live value each, and a day that all
of them were away (96 quarters a message). `--against` runs the collectors of another checkout in turn, and prints the
ratio. COPY of the same rows into the same table, one connection, is the limit that a share is named of. What questions
take is in fleet_questions.py.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import os

import paho.mqtt.client as paho
import psycopg
from msgspec import Struct
from msgspec.structs import astuple
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from history.postgres import Postgres, running
from iskra_server.fleet import protocol
from iskra_server.history.model.records import Exact, MeterInfo, PowerQuarter, QuarterReading, Record
from outputs.mqtt.broker import Mosquitto
from running import COMMAND, until
from samples import EXPORT, IMPORT

ROOT = Path(__file__).parent.parent
FIRST = 1_990_000 // 96 * 96
WINDOW = 4000
WAL = "SELECT pg_current_wal_insert_lsn() - '0/0'"


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--meters", type=int, default=2000)
    parser.add_argument("--against", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, running() as postgres:
        postgres.stop()
        postgres.start(durable=True)
        broker = Mosquitto(Path(directory), *deployed_limits(), verbose=False).start()
        try:
            collecting(postgres, broker, arguments.meters, arguments.against)
        finally:
            broker.kill()


def deployed_limits() -> list[str]:
    lines = (ROOT / "deploy" / "central" / "mosquitto.conf").read_text().splitlines()
    return [line for line in lines if line.startswith(("max_inflight_messages", "max_queued_messages"))]


class Figures(Struct):
    """Of one round; a message is a quarter or a live value."""

    messages_s: float
    rows_s: float
    wal_bytes: float
    processor_us: float


def collecting(postgres: Postgres, broker: Mosquitto, meters: int, against: Path | None) -> None:
    print(f"{meters} readers of one meter, {', '.join(deployed_limits())}; a quarter has 3 rows")
    for collectors in (1, 2):
        measured = {
            place: rounds(postgres, broker, collectors, meters, place)
            for place in ([against] if against else []) + [ROOT]
        }
        for title in measured[ROOT]:
            for place, figures in measured.items():
                show(f"{collectors} collectors, {title}", "before" if place == against else "after", figures[title])
            if against:
                pairs = zip(astuple(measured[ROOT][title]), astuple(measured[against][title]), strict=True)
                show("", "ratio", Figures(*(new / old for new, old in pairs)))
    row, limit = row_bytes(postgres), copied(postgres, meters)
    print("  bytes a row with its indexes: " + ", ".join(f"{table} {size:.1f}" for table, size in row.items()))
    print(f"  COPY of boundary rows, one connection: {limit:.0f} rows/s")


def show(title: str, which: str, figures: Figures) -> None:
    digits = 2 if which == "ratio" else 0
    print(
        f"  {title:34} {which:7} {figures.messages_s:9.{digits}f} messages/s {figures.rows_s:9.{digits}f} rows/s "
        f"{figures.wal_bytes:8.{digits}f} bytes of WAL {figures.processor_us:7.{digits}f} us of CPU a message"
    )


def rounds(postgres: Postgres, broker: Mosquitto, collectors: int, meters: int, place: Path) -> dict[str, Figures]:
    """By the collectors of a checkout, which create the tables themselves."""
    postgres.database()
    with collected(postgres, broker, collectors, place) as processes:
        figures = {
            title: timed(postgres, broker, processes, meters, quarters, live=live)
            for title, quarters, live in (
                ("new meters", [FIRST], False),
                ("a quarter and a live value", [FIRST + 1], True),
                ("a day away", list(range(FIRST + 2, FIRST + 98)), False),
            )
        }
    return figures


def timed(
    postgres: Postgres,
    broker: Mosquitto,
    processes: list[subprocess.Popen[str]],
    meters: int,
    quarters: list[int],
    *,
    live: bool,
) -> Figures:
    """Until everything is in the database."""
    payloads = [parcel(place, quarters) for place in range(meters)]
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as asking:

        def number(query: str) -> int:
            row = asking.execute(query.encode()).fetchone()
            assert row
            return int(row[0])

        rows, log = number("SELECT count(*) FROM power"), number(WAL)
        began, spent_s = time.monotonic(), sum(map(processor_s, processes))
        send(broker, payloads, meters if live else 0)
        until(lambda: number("SELECT count(*) FROM power") == rows + meters * len(quarters), 600)
        if live:
            until(lambda: number("SELECT count(*) FROM live WHERE power_mw IS NOT NULL") == meters, 600)
        seconds = time.monotonic() - began
        messages = (2 if live else 1) * meters
        used_s = sum(map(processor_s, processes)) - spent_s
        written = number(WAL) - log
    return Figures(
        messages / seconds, 3 * meters * len(quarters) / seconds, written / messages, 1e6 * used_s / messages
    )


def processor_s(process: subprocess.Popen[str]) -> float:
    times = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


def row_bytes(postgres: Postgres) -> dict[str, float]:
    found = {}
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as asking:
        for table in ("boundary", "power"):
            query = (
                f"SELECT (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
                f"WHERE inhparent = '{table}'::regclass)::float / count(*) FROM {table}"
            )
            row = asking.execute(query.encode()).fetchone()
            assert row
            found[table] = float(row[0])
    return found


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
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
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
def collected(postgres: Postgres, broker: Mosquitto, count: int, place: Path) -> Iterator[list[subprocess.Popen[str]]]:
    environ = os.environ | {
        "IES_COLLECT_URL": broker.url,
        "IES_DATABASE_URL": postgres.url("postgres"),
        "PYTHONPATH": str(place / "src"),
    }
    processes = []
    try:
        for _ in range(count):
            process = subprocess.Popen([COMMAND, "collect"], env=environ, stderr=subprocess.PIPE, text=True)
            processes.append(process)
            assert process.stderr
            log = process.stderr
            until(lambda: "Collecting from" in log.readline(), 30)  # noqa: B023
        Event().wait(0.5)
        yield processes
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


if __name__ == "__main__":
    main()
