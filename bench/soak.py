"""A day of telegrams at fifty times the speed, with a fault every few seconds: nothing is lost, wrong, or grows.

    python bench/soak.py [--hours H] [--seed N]        3 hours of telegrams take 3.6 minutes, 24 hours 29 minutes

The server runs as `serve` does, with history, at a pseudo-terminal. Every whole telegram that was sent while the port
was open must be counted, every value that a client sees must have been sent, and none may be smaller than one before
it. Memory, file descriptors, threads and tasks are compared with those after a sixth of the time, both times when every
client has gone. Exit status 1 where one of this is not so.
"""

import argparse
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import telegrams
from processes import memory_mb
from running import Head, Server, events, serving, until

SPEED = 50
WARM_UP = 1 / 6
MAX_MB = 2.0
MAX_LINES = 10
# the live stream of the one client may be between two connections
MAX_FILES = MAX_THREADS = MAX_TASKS = 4
EVERY_S = (1.0, 4.0)


class Soak:
    def __init__(self, server: Server, head: Head, seed: int) -> None:
        self.server, self.head, self.chance = server, head, random.Random(seed)
        self.raw, self.sent, self.faults = 100_000, 0, Counter[str]()
        self.seen: list[float] = []
        self.clients: list[socket.socket] = []
        self.reconnected = 0

    def telegram(self) -> bytes:
        """The next one: a tenth of a watt-hour more, which at this speed are 18 kW."""
        self.raw += 1
        return telegrams.telegram(telegrams.meter_entries(energy=self.raw), seconds=self.raw)

    def send(self) -> None:
        self.head.send(self.telegram())
        self.sent += 1

    def counted(self) -> int:
        return int(self.server.status()["facts"]["telegrams"])

    def fault(self) -> None:
        """One of them, as they come."""
        fault: Callable[[], None] = self.chance.choice(
            (self.noise, self.cut, self.flipped, self.plugged, self.reload, self.slow_clients, self.strange_clients)
        )
        self.faults[fault.__name__] += 1
        fault()

    def noise(self) -> None:
        self.head.send(self.chance.randbytes(self.chance.randrange(1, 400)))

    def cut(self) -> None:
        data = self.telegram()
        self.head.send(data[: self.chance.randrange(20, len(data) - 20)])

    def flipped(self) -> None:
        data = bytearray(self.telegram())
        data[self.chance.randrange(8, len(data) - 8)] ^= 1 << self.chance.randrange(8)
        self.head.send(bytes(data))

    def plugged(self) -> None:
        """What a plug that is pulled has not handed over is lost, so all of it is awaited before."""
        until(lambda: self.counted() >= self.sent, 30)
        self.head.unplug()
        until(lambda: not self.server.status()["facts"]["is_open"])
        self.head.plug()
        until(lambda: self.server.status()["facts"]["is_open"])

    def reload(self) -> None:
        self.server.process.send_signal(signal.SIGHUP)

    def slow_clients(self) -> None:
        for _ in range(20):
            self.connect(b"GET /api/v1/live HTTP/1.1\r\nhost: a\r\n" + self.chance.choice((b"", b"\r\n", b"x: y")))

    def strange_clients(self) -> None:
        for _ in range(20):
            self.connect(self.chance.randbytes(100))

    def connect(self, data: bytes) -> None:
        with suppress(OSError):
            client = socket.create_connection(("127.0.0.1", int(self.server.url.rpartition(":")[2])), timeout=5)
            client.sendall(data)
            self.clients.append(client)
        while len(self.clients) > 60:
            self.clients.pop(0).close()

    def leave(self) -> None:
        """All clients but the one of the live stream go, and the server has noticed."""
        while self.clients:
            self.clients.pop().close()
        before = None
        while (files := open_files(self.server)) != before:
            before = files
            time.sleep(1)

    def watch(self, stop: threading.Event) -> None:
        """A client of the live stream, again whenever the stream ends."""
        while not stop.is_set():
            with suppress(Exception), events(self.server) as stream:
                for event in stream:
                    self.seen.append(total(event))
                    if stop.is_set():
                        return
            self.reconnected += 1
            stop.wait(0.2)


def total(event: dict[str, Any]) -> float:
    return next(float(each["value"]) for each in event["registers"] if each["name"] == "energy_import")


def open_files(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


class Cost:
    """What a process has at a moment."""

    def __init__(self, server: Server) -> None:
        pid = server.process.pid
        self.memory_mb = memory_mb(pid)
        self.files = open_files(server)
        self.threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        metrics = server.get("/metrics").text
        self.tasks = int(
            next(line for line in metrics.splitlines() if line.startswith("iskra_server_tasks ")).split()[1]
        )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        head = Head(Path(directory, "head"))
        environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": directory, "IES_HISTORY_FLUSH_S": "5"}
        with serving("serve", str(head.link), environ=environ) as server:
            return soak(Soak(server, head, options.seed), options.hours * 3600 / SPEED)


def soak(test: Soak, seconds: float) -> int:
    server, stop = test.server, threading.Event()
    until(lambda: server.status()["facts"]["is_open"])
    watching = threading.Thread(target=test.watch, args=(stop,))
    watching.start()
    began = due = time.monotonic()
    fault_at, before = began + 1, None
    try:
        while (now := time.monotonic()) < began + seconds:
            test.send()
            if now >= fault_at:
                test.fault()
                fault_at = time.monotonic() + test.chance.uniform(*EVERY_S)
            if before is None and now > began + seconds * WARM_UP:
                test.leave()
                before = Cost(server)
            due = max(due + 1 / SPEED, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))
        test.leave()
        # a last telegram ends what a cut one has begun
        test.send()
        until(lambda: test.counted() >= test.sent, 30)
        after = Cost(server)
    finally:
        stop.set()
        test.head.send(test.telegram())
        watching.join(30)
    assert before
    return report(test, before, after, time.monotonic() - began)


def report(test: Soak, before: Cost, after: Cost, seconds: float) -> int:
    lines = len(test.server.log.splitlines())
    sent = {raw / 10 for raw in range(100_000, test.raw + 1)}
    facts = test.server.status()["facts"]
    wrong = [value for value in test.seen if value not in sent]
    back = sum(late < early for early, late in zip(test.seen, test.seen[1:], strict=False))
    grown = after.memory_mb - before.memory_mb
    print(
        f"{test.sent} telegrams in {seconds:.0f} s, {test.faults.total()} faults: {dict(sorted(test.faults.items()))}"
    )
    print(f"counted {facts['telegrams']}, of the damaged {facts['faults']}, held back {facts['quarantined']}")
    print(f"{len(test.seen)} events seen in {test.reconnected + 1} streams, {len(wrong)} wrong, {back} went back")
    print(f"memory {before.memory_mb:.1f} -> {after.memory_mb:.1f} MB ({grown:+.2f})")
    print(
        f"files {before.files} -> {after.files}, threads {before.threads} -> {after.threads}, "
        f"tasks {before.tasks} -> {after.tasks}, {lines} lines of log"
    )
    good = {
        "no telegram was lost": facts["telegrams"] - 1 <= test.sent <= facts["telegrams"],
        "no value was wrong": not wrong and not back and not facts["quarantined"] and len(test.seen) > test.sent / 3,
        "memory did not grow": grown < MAX_MB,
        "files, threads and tasks did not grow": after.files - before.files <= MAX_FILES
        and after.threads - before.threads <= MAX_THREADS
        and after.tasks - before.tasks <= MAX_TASKS,
        # a line for each change of state: unplugged and back, a new configuration
        "the log stayed short": lines <= 2 * test.faults["plugged"] + test.faults["reload"] + MAX_LINES,
    }
    for name, is_so in good.items():
        print(f"{'yes' if is_so else 'NO ':4}{name}")
    return 0 if all(good.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
