"""Databases for time series that history is measured against: Debian's, in a folder of their own, on free ports.

Each holds the same quarters, and a week of the telegrams, as loading a month of them takes too long. `asked` puts a
question into the language of the database, in the quickest form that was found: one request where that is possible.
"""

import http.client
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from decade import ZONE, Decade, progress
from iskra_server.history.model.records import QUARTER_S
from programs import INFLUX, VICTORIA, Program, started
from running import free_port

PEER_RAW_DAYS = 7
_LINES_AT_ONCE = 20_000
_DEADLINE_S = 30


class Query(NamedTuple):
    """Energy between `edges` in Unix seconds, or power between the two of them in so many `points`."""

    path: str
    edges: tuple[int, ...]
    points: int = 0


class Peer(NamedTuple):
    name: str
    program: Program
    prepare: str
    write: str
    flush: str
    asked: Callable[[Query], str]


def influxql(question: Query) -> str:
    """A month and a year are no interval of InfluxQL: the counters at the edges, in one request."""
    edges = question.edges
    begin, end = f"{edges[0]}s", f"{edges[-1]}s"
    if question.points:
        step_s = _step_s(question)
        statement = (
            f"SELECT min(w), mean(w), max(w) FROM power WHERE time >= {begin} AND time < {end} "
            f"GROUP BY time({step_s}s) fill(none)"
        )
    elif edges[1] - edges[0] == QUARTER_S:
        statement = f"SELECT difference(import), difference(export) FROM energy WHERE time >= {begin} AND time <= {end}"
    elif edges[1] - edges[0] < 86_400 * 2:
        statement = (
            f"SELECT difference(first(import)), difference(first(export)) FROM energy "
            f"WHERE time >= {begin} AND time <= {end} GROUP BY time(1d) tz('{ZONE.key}')"
        )
    else:
        statement = ";".join(f"SELECT import, export FROM energy WHERE time = {edge}s" for edge in edges)
    return f"/query?{urlencode({'db': 'history', 'epoch': 's', 'q': statement})}"


def metricsql(question: Query) -> str:
    """Steps are of equal length: days are those of the first one's offset; months and years are asked for by edges.

    Without its cache of answers, as no other keeps one, and few people look at the same past day again and again.
    """
    edges = question.edges
    step_s = edges[1] - edges[0]
    if question.points:
        step_s = _step_s(question)
        query, begin = f"rollup(power_w[{step_s}s])", edges[0] + step_s
    elif step_s < 86_400 * 2:
        query = f'increase({{__name__=~"energy_import|energy_export"}}[{step_s}s]) keep_metric_names'
        begin = edges[1]
    else:
        counters = (
            f'label_set(last_over_time(energy_{name}[15m] offset {edges[-1] - edge}s), "edge", "{edge}")'
            for edge in edges
            for name in ("import", "export")
        )
        union = f"union({', '.join(counters)})"
        return f"/api/v1/query?{urlencode({'query': union, 'time': edges[-1]})}"
    steps = {"query": query, "start": begin, "end": edges[-1], "step": f"{step_s}s", "nocache": 1}
    return f"/api/v1/query_range?{urlencode(steps)}"


def _step_s(question: Query) -> int:
    return -(-(question.edges[1] - question.edges[0]) // question.points)


PEERS = (
    Peer(
        "InfluxDB 1.6",
        INFLUX,
        f"/query?q={quote('CREATE DATABASE history WITH SHARD DURATION 52w')}",
        "/write?db=history&precision=ms",
        "",
        influxql,
    ),
    Peer(
        "VictoriaMetrics",
        VICTORIA,
        "",
        "/write?precision=ms",
        "/internal/force_flush",
        metricsql,
    ),
)


@contextmanager
def loaded(peer: Peer, decade: Decade, folder: Path) -> Iterator[int]:
    """The port where it answers, with all data; 0 where it cannot be installed."""
    if not _installed(peer):
        yield 0
        return
    port = free_port()
    with started(peer.program, folder, port):
        _load(peer, decade, port)
        yield port


def ask(connection: http.client.HTTPConnection, path: str, body: bytes | None = None) -> bytes:
    connection.request("GET" if body is None else "POST", path, body)
    response = connection.getresponse()
    content = response.read()
    if response.status >= 300:
        raise SystemExit(f"{path[:200]} was answered {response.status}: {content[:300]!r}")
    return content


def _load(peer: Peer, decade: Decade, port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_DEADLINE_S)
    if peer.prepare:
        ask(connection, peer.prepare, b"")
    began, lines = time.monotonic(), _lines(decade)
    total = len(decade.quarters) + PEER_RAW_DAYS * 86_400
    done = 0
    while batch := list(islice(lines, _LINES_AT_ONCE)):
        ask(connection, peer.write, "\n".join(batch).encode())
        done += len(batch)
        progress(f"{peer.name} is loaded", done / total)
    if peer.flush:
        ask(connection, peer.flush)
    print(f"{peer.name}: {total:,} lines loaded in {time.monotonic() - began:.0f} s", file=sys.stderr)


def _lines(decade: Decade) -> Iterator[str]:
    """In the line protocol of InfluxDB, which both take; energy in Wh, power in W."""
    for quarter in decade.quarters:
        yield f"energy {_counters(decade.at(quarter * QUARTER_S)[0])} {quarter * QUARTER_S * 1000}"
    for second in range(decade.end_s - PEER_RAW_DAYS * 86_400, decade.end_s):
        counters, power_mw = decade.at(second)
        yield f"power {_counters(counters)},w={power_mw // 1000} {second * 1000 + second * 37 % 19}"


def _counters(counters: Iterable[int]) -> str:
    imported, night, exported = (raw / 10 for raw in counters)
    return f"import={imported},night={night},export={exported}"


def _installed(peer: Peer) -> bool:
    """Whether its program is there, installed by apt where root asks."""
    package = peer.program.package
    if not peer.program.path and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "-qq", "install", "--no-install-recommends", "--yes", package]
        environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=False)
        subprocess.run(install, check=False, env=environ, stdout=subprocess.DEVNULL)
    if not peer.program.path:
        print(f"{peer.name} is not installed and left out. On Debian: sudo apt install {package}", file=sys.stderr)
    return peer.program.path is not None
