"""What history costs: size, time to answer, bytes written; beside InfluxDB and VictoriaMetrics on the same data.

    python bench/history_cost.py [questions]

Ten years of a meter with three counters, and the telegrams of 30 days at one a second. Each question is asked many
times, where it can be for another random day, month or year each time: `function` is what the route calls, without
HTTP, `HTTP` the whole answer of `iskra-server serve` on a connection that is kept, as for the other two. Ratios are of
the medians over HTTP. Bytes written are those that Linux counts for the process (write_bytes), in pages of the
file system, with a sync after each transaction so that every page counts each time it is written.
"""

import asyncio
import http.client
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import quantiles
from urllib.parse import parse_qs, quote, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import msgspec
from starlette.datastructures import QueryParams

from databases import PEER_RAW_DAYS, PEERS, Query, ask, loaded
from decade import FLUSH_S, METER_ID, SERVER_ID, YEARS, ZONE, Decade, fill
from iskra_server.history.model.energy import BucketLength, bucket_edges
from iskra_server.history.model.periods import parse_span
from iskra_server.history.model.records import MeterInfo, Record
from iskra_server.history.recording.recorder import Recorder
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.store import Store
from iskra_server.meter.reading import Reading, Sample
from iskra_server.web.api import energy, power
from iskra_server.web.http.query import Query as HttpQuery
from running import Head, serving

QUESTIONS = 300
WARM_UP = 20
POINTS = 1000
# of the day that is recorded with every telegram; a whole one is simulated without them
RECORDED_S = 6 * 3600
_DAY_S = 86_400
_MB = 1e6

# a name, and a question for a random moment
Kind = tuple[str, Callable[[Random], Query]]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS
    now = datetime.now(UTC)
    decade = Decade(now)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        size(place, decade)
        questions(place, decade, now, count)
        written(place, decade)


def size(place: Path, decade: Decade) -> None:
    with closing(Store(f"sqlite:///{place}/iskra.sqlite")) as store:
        fill(store, decade)
        blocks = store.points_between(METER_ID, 0, 2**40)
    data = (place / "iskra.sqlite").stat().st_size
    telegrams, raw = sum(block.count for block in blocks), sum(len(block.data) for block in blocks)
    years = (decade.end_s - decade.begin_s) / _DAY_S / 365.25
    with closing(Store(f"sqlite:///{place}/quarters.sqlite")) as store:
        year = range(decade.quarters.start, decade.quarters.start + 366 * 96)
        for start in range(year.start, year.stop, 96 * 61):
            store.write(decade.ledger(range(start, start + 96 * 61)), [decade.meter])
    ledger = (place / "quarters.sqlite").stat().st_size / 366 * 365
    print(f"{years:.1f} years of quarters and 30 days of telegrams: {data / _MB:.1f} MB")
    print(f"a year of quarters, three counters and power: {ledger / _MB:.2f} MB")
    print(f"a telegram of four registers: {raw / telegrams:.2f} bytes, {raw / telegrams * 31.5576:.0f} MB a year")


def questions(place: Path, decade: Decade, now: datetime, count: int) -> None:
    kinds = asked(now)
    with closing(Store(f"sqlite:///{place}/iskra.sqlite")) as store:
        functions = [milliseconds(lambda each: answer(store, each), kind, count) for _, kind in kinds]
    head = Head(place / "head")
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(place)}
    with serving("serve", str(head.link), environ=environ) as server:
        port = int(server.url.rpartition(":")[2])
        ours = over_http(port, lambda each: each.path, kinds, count)
    rows = {"function": functions, "HTTP": ours}
    for number, peer in enumerate(PEERS):
        with loaded(peer, decade, place / f"peer{number}") as port:
            if port:
                rows[peer.name] = over_http(port, peer.asked, kinds, count)
    table([name for name, _ in kinds], rows)


def asked(now: datetime) -> list[Kind]:
    """The questions of a chart; whole days, months and years of the past, and the one day that is today."""
    today = now.astimezone(ZONE).date()

    def day(chance: Random) -> date:
        return today - timedelta(days=chance.randrange(1, PEER_RAW_DAYS))

    def energies(begin: str, length: BucketLength, end: str | None = None) -> Query:
        query = f"from={begin}&bucket={length}&tz={ZONE.key}" + (f"&to={end}" if end else "")
        quarters = bucket_edges(*parse_span(begin, end, now, ZONE), length, ZONE)
        return Query(path("energy", query), tuple(quarter * 900 for quarter in quarters))

    def powers(chance: Random) -> Query:
        begin = str(day(chance))
        ends = parse_span(begin, None, now, ZONE)
        query = f"from={begin}&points={POINTS}&tz={ZONE.key}"
        return Query(path("power", query), tuple(int(end.timestamp()) for end in ends), POINTS)

    def year(chance: Random) -> int:
        return today.year - chance.randint(1, YEARS)

    return [
        ("today by quarter", lambda _: energies(str(today), "15min")),
        ("a month by day", lambda chance: energies(f"{year(chance)}-{chance.randint(1, 12):02}", "day")),
        ("a year by month", lambda chance: energies(str(year(chance)), "month")),
        ("ten years by year", lambda _: energies(str(today.year - YEARS), "year", str(today.year - 1))),
        ("a day of power, 1,000 points", powers),
    ]


def path(route: str, query: str) -> str:
    return f"/api/v1/meters/{quote(METER_ID)}/{route}?{query}"


def answer(store: Store, each: Query) -> bytes:
    """What the route does below HTTP."""
    parts = urlsplit(each.path)
    route = power if parts.path.endswith("power") else energy
    given = QueryParams({name: values[0] for name, values in parse_qs(parts.query).items()})
    names = [parameter.name for parameter in route.ENDPOINT.parameters]
    posed = HttpQuery(given, names, now=datetime.now(UTC), tz=ZONE.key)
    known = store.meters()
    find = power.power_of if route is power else energy.energy_of
    return msgspec.json.encode(find(RecordedMeter(store, known[0], known), posed))


def over_http(port: int, put: Callable[[Query], str], kinds: Sequence[Kind], count: int) -> list[list[float]]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        return [milliseconds(lambda each: ask(connection, put(each)), kind, count) for _, kind in kinds]


def milliseconds(run: Callable[[Query], bytes], kind: Callable[[Random], Query], count: int) -> list[float]:
    """Of each question, without the first ones; an answer without numbers would be quick."""
    chance, found = Random(1), []
    for _ in range(count + WARM_UP):
        each = kind(chance)
        began = time.perf_counter()
        body = run(each)
        found.append((time.perf_counter() - began) * 1e3)
        if len(body) < 20 * max(len(each.edges) - 1, each.points):
            raise SystemExit(f"the answer to {each.path} is too short: {body[:300]!r}")
    return found[WARM_UP:]


def table(names: Sequence[str], rows: dict[str, list[list[float]]]) -> None:
    print(f"\n{'ms: median / 99 of 100':30}" + "".join(f"{name:>24}" for name in rows))
    for number, name in enumerate(names):
        cells = []
        for who, times in rows.items():
            median, last = percentile(times[number], 50), percentile(times[number], 99)
            ratio = median / percentile(rows["HTTP"][number], 50)
            cells.append(f"{median:.2f} / {last:.2f}" + (f" {ratio:5.2f}x" if who not in ("function", "HTTP") else ""))
        print(f"{name:30}" + "".join(f"{cell:>24}" for cell in cells))


def percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


class _SyncedWriter(Writer):
    """Writes without its thread, one transaction for each call, and syncs."""

    def __init__(self, store: Store, file: Path) -> None:
        super().__init__(lambda: store)
        self.store, self.caught_up = store, True
        self._written = store
        self._file = file
        self.transactions = 0

    def enqueue(self, records: Sequence[Record], meter: MeterInfo) -> None:
        self._written.write(records, [meter])
        self.transactions += 1
        # by another process: closing the files in this one would end the locks of SQLite
        subprocess.run(["sync", "--data", self._file, f"{self._file}-wal"], check=True)


def written(place: Path, decade: Decade) -> None:
    print()
    for name, keep_points, seconds in (("all telegrams", True, RECORDED_S), ("raw_days = 0", False, _DAY_S)):
        file = place / f"{keep_points}.sqlite"
        with closing(Store(f"sqlite:///{file}")) as store:
            writer = _SyncedWriter(store, file)
            recorder = Recorder(writer=writer, flush_s=FLUSH_S, keep_points=keep_points, simulated=False)
            before = bytes_written()
            asyncio.run(recorder.run(samples(decade, seconds)))
        # what a checkpoint at the end adds is within
        data = bytes_written() - before
        print(
            f"written in a day at 1 Hz, {name}: {data * _DAY_S / seconds / _MB:.2f} MB "
            f"({writer.transactions} transactions in {seconds // 3600} h)"
        )


async def samples(decade: Decade, seconds: int) -> AsyncIterator[Sample]:
    begin_s = decade.end_s - _DAY_S
    for second in range(begin_s, begin_s + seconds):
        point = decade.point(second)
        reading = Reading(METER_ID, bytes.fromhex(SERVER_ID), point.registers, None, "sml", 300)
        at = datetime.fromtimestamp(point.at_ms / 1000, UTC)
        yield Sample(reading, at, point.at_ms / 1000, simulated=False, source="bench")


def bytes_written() -> int:
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])


if __name__ == "__main__":
    main()
