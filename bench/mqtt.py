"""From the last bytes of a telegram to a subscriber at an MQTT broker: how late is a value, also after an outage?

    python bench/mqtt.py [telegrams] [seconds of the outage]        200 telegrams take eight minutes

A pseudo-terminal is fed at the pace of a 9600-baud line, in pieces of 16 bytes; only the pauses between telegrams are
shorter than a meter's. The clock starts just before the last piece is written, and stops when `recv` of a subscriber of
Mosquitto has returned the power of this telegram. sml2mqtt reads the same at a pseudo-terminal of its own; `bare` only
waits for the end of a telegram and writes one message to a socket: what machine and broker take. All take turns,
telegram by telegram. For the outage the broker is killed and has nothing retained when it is back, while a telegram
comes every second.
"""

import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from math import inf
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import peers
import telegrams
from footprint import CONFIG, SML2MQTT, has_open, listens
from latency import PIECE, WARM_UP, forget
from processes import program, running
from running import Head, free_port, serving, until

TELEGRAMS = 200
OUTAGE_S = 30
# of a program, on a machine that is busy
START_S = 60
# sml2mqtt reads its port in pauses
PAUSE_S = 0.3
FIRST_POWER = 300
# MQTT 3.1.1: connect as a clean session that stays quiet, and subscribe to everything
CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
SUBSCRIBE = b"\x82\x06\x00\x01\x00\x01#\x00"
BARE = r"""
import os, socket, sys
port, broker = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY), socket.create_connection(("127.0.0.1", int(sys.argv[2])))
broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
broker.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04bare")
broker.recv(4)
seen = b""
while data := os.read(port, 4096):
    seen += data
    if 0 <= seen.find(b"\x1b\x1b\x1b\x1b\x1a") <= len(seen) - 8:
        broker.send(b"\x30\x0a\x00\x04barenow!")
        seen = b""
"""


class Subscriber:
    """A bare socket that subscribes to all topics."""

    def __init__(self, port: int, number: int = 0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(5)
        self.socket.sendall(CONNECT + b"%d" % number)
        self.socket.recv(4)
        self.socket.sendall(SUBSCRIBE)

    def until(self, wanted: bytes) -> float:
        """When it had arrived, on the monotonic clock. Raises TimeoutError."""
        heard = b""
        while wanted not in heard:
            heard += self.socket.recv(65536)
        return time.monotonic()


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else TELEGRAMS
    outage_s = float(sys.argv[2]) if len(sys.argv) > 2 else OUTAGE_S
    # a server that is left behind would take the pseudo-terminals of the next
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if (mosquitto := program("mosquitto")) is None:
        return
    with tempfile.TemporaryDirectory() as directory:
        latency(Path(directory), mosquitto, number)
        outage(Path(directory), mosquitto, outage_s)


def latency(directory: Path, mosquitto: str, number: int) -> None:
    port = free_port()
    with ExitStack() as stack:
        stack.enter_context(running(mosquitto, "-p", port))
        until(lambda: listens(port))
        readers = {
            "iskra-server": (stack.enter_context(ours(directory, port)), b'"power":%d,'),
            SML2MQTT: (stack.enter_context(theirs(directory, port)), b"/0100100700ff%d"),
            "bare": (stack.enter_context(bare(directory, port)), b"barenow!"),
        }
        subscriber = Subscriber(port)
        seconds: dict[str, list[float]] = {name: [] for name in readers}
        for power, data in series(number + WARM_UP):
            for name, (head, wanted) in readers.items():
                needle = wanted % power if b"%" in wanted else wanted
                latency = latency_s(head, data, subscriber, needle)
                if power - FIRST_POWER >= WARM_UP and latency is not None:
                    seconds[name].append(latency)
    print(f"milliseconds from the last bytes to a subscriber, {number} telegrams at 9600 baud")
    print("                   p50    p99    max   missed")
    for name, figures in seconds.items():
        hundredths = quantiles(figures, n=100) if len(figures) > 1 else [inf] * 99
        shown = (hundredths[49], hundredths[98], max(figures, default=inf))
        print(f"{name:16}" + "".join(f"{s * 1000:7.2f}" for s in shown) + f"{number - len(figures):9}")


def latency_s(head: Head, data: bytes, subscriber: Subscriber, wanted: bytes) -> float | None:
    """Feed one telegram, and wait for its message; None if it does not come within the subscriber's timeout."""
    last = (len(data) - 1) // PIECE * PIECE
    head.send_at_line_speed(data[:last])
    forget(subscriber.socket)
    started = time.monotonic()
    head.send(data[last:])
    try:
        return subscriber.until(wanted) - started
    except TimeoutError:
        return None
    finally:
        time.sleep(PAUSE_S)


def outage(directory: Path, mosquitto: str, outage_s: float) -> None:
    """Kill the broker and start an empty one: when does the newest state arrive, and each state once?"""
    port, over = free_port(), threading.Event()
    sent: list[tuple[float, int]] = []

    def feed() -> None:
        for power, data in series(10_000):
            head.send(data)
            sent.append((time.monotonic(), power))
            if over.wait(1):
                return

    with ours(directory, port) as head:
        meter = threading.Thread(target=feed)
        meter.start()
        try:
            with running(mosquitto, "-p", port):
                until(lambda: listens(port))
                Subscriber(port).until(b'"power":')
            time.sleep(outage_s)
            with running(mosquitto, "-p", port):
                back = until(lambda: listens(port) and time.monotonic())
                heard, first = states(Subscriber(port), 5)
        finally:
            over.set()
            meter.join()
    powers = [power for _, power in sent]
    newest = max(power for at, power in sent if at < first)
    begin = powers.index(heard[0])
    right = heard == powers[begin : begin + len(heard)] and heard[0] >= newest - 1
    print(f"after an outage of {outage_s:.0f} s the newest state is there within {first - back:.2f} s; ", end="")
    print("each state came once and in order" if right else f"WRONG: {heard} of {powers}")


def states(subscriber: Subscriber, number: int) -> tuple[list[int], float]:
    """The powers of so many states, and when the first was there."""
    heard, first = b"", 0.0
    while len(found := re.findall(rb'/state.*?"power":(\d+)', heard, re.DOTALL)) < number:
        first = first or (time.monotonic() if found else 0.0)
        heard += subscriber.socket.recv(65536)
    return [int(power) for power in found], first


def series(number: int) -> Iterator[tuple[int, bytes]]:
    """Telegrams in which every value is another one, each with its power: sml2mqtt publishes only what changes."""
    for power in range(FIRST_POWER, FIRST_POWER + number):
        entries = telegrams.meter_entries(energy=123456789 + power, power=power)
        yield power, telegrams.telegram(entries, seconds=power)


_NUMBERS = count()


@contextmanager
def ours(directory: Path, port: int) -> Iterator[Head]:
    head = Head(directory / f"ours-{next(_NUMBERS)}")
    with serving("serve", str(head.link), environ={"IES_MQTT_URL": f"mqtt://127.0.0.1:{port}"}) as server:
        until(lambda: server.status()["facts"]["is_open"])
        yield head


@contextmanager
def theirs(directory: Path, port: int) -> Iterator[Head]:
    head = Head(directory / "theirs")
    command = peers.python_with(SML2MQTT).parent / "sml2mqtt"
    config, log = directory / "sml2mqtt.yml", directory / "sml2mqtt.log"
    config.write_text(CONFIG.format(port=port, head=head.link))
    with log.open("w") as output, running(command, "-c", config, output=output) as pid:
        until(lambda: has_open(pid, os.readlink(head.link)), START_S)
        yield head


@contextmanager
def bare(directory: Path, port: int) -> Iterator[Head]:
    head = Head(directory / "bare")
    with running(sys.executable, "-c", BARE, head.link, port) as pid:
        until(lambda: has_open(pid, os.readlink(head.link)), START_S)
        yield head


if __name__ == "__main__":
    main()
