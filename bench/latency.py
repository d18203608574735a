"""From the last bytes of a telegram to the event at a client: how late is a live value?

    python bench/latency.py [telegrams]

A pseudo-terminal is fed at the pace of a 9600-baud line, in pieces of 16 bytes as a USB adapter hands them over; only
the pauses between telegrams are shorter than a meter's. The clock starts just before the last piece is written, and
stops when `recv` of a client of /api/v1/live has returned the whole event. `bare` goes the same way through a program
that only reads the port and writes to a socket: what the machine itself takes. Both take turns, telegram by telegram.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from control_loop.devices import DEVICES, environment, ports
from iskra_server.simulator.simulated_source import telegrams
from running import Head, free_port, serving, until

TELEGRAMS = 200
# the first telegrams teach the layout and the length of a burst
WARM_UP = 5
# longer than any pause within a telegram; a meter's own would be 0.6 s
PAUSE_S = 0.15
PIECE = 16
EVENT = b"event: reading"
RELAY = r"""
import os, socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[2])))
port, client = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY), listening.accept()[0]
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
seen = b""
while bytes := os.read(port, 4096):
    seen += bytes
    if 0 <= seen.find(b"\x1b\x1b\x1b\x1b\x1a") <= len(seen) - 8:
        client.send(b"event: reading\n\n")
        seen = b""
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TELEGRAMS
    # a server that is left behind would take the pseudo-terminals of the next
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        clients = {
            "iskra-server": stack.enter_context(reading({})),
            "with all devices": stack.enter_context(reading(environment(ports(DEVICES)))),
            "bare": stack.enter_context(relaying()),
        }
        figures: dict[str, list[float]] = {name: [] for name in clients}
        for data in islice(telegrams(), count + WARM_UP):
            for name, (head, client) in clients.items():
                figures[name].append(latency_s(head, data, client))
    print(f"milliseconds from the last bytes to the event, {count} telegrams at 9600 baud")
    print("                     p50    p99    max")
    for name, seconds in figures.items():
        measured = seconds[WARM_UP:]
        hundredths = quantiles(measured, n=100)
        print(f"{name:18}" + "".join(f"{s * 1000:7.2f}" for s in (hundredths[49], hundredths[98], max(measured))))


@contextmanager
def reading(environ: dict[str, str]) -> Iterator[tuple[Head, socket.socket]]:
    """The head that a server with history reads, and a client of its live values."""
    with tempfile.TemporaryDirectory() as directory:
        head = Head(Path(directory, "head"))
        environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": directory, **environ}
        with serving("serve", str(head.link), environ=environ) as server:
            until(lambda: server.status()["facts"]["is_open"])
            live = connected(int(server.url.rpartition(":")[2]))
            live.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            yield head, live


def latency_s(head: Head, data: bytes, client: socket.socket) -> float:
    """Feed one telegram, and wait for its event."""
    last = (len(data) - 1) // PIECE * PIECE
    head.send_at_line_speed(data[:last])
    forget(client)
    received = b""
    started = time.monotonic()
    head.send(data[last:])
    while b"\n\n" not in received.partition(EVENT)[2]:
        received += client.recv(65536)
    seconds = time.monotonic() - started
    time.sleep(PAUSE_S)
    return seconds


def forget(client: socket.socket) -> None:
    """What has come before is not the event: the state of the meter, and the newest reading at the start."""
    client.setblocking(False)
    try:
        while client.recv(65536):
            pass
    except BlockingIOError:
        client.settimeout(5)


@contextmanager
def relaying() -> Iterator[tuple[Head, socket.socket]]:
    with tempfile.TemporaryDirectory() as directory:
        head, port = Head(Path(directory, "head")), free_port()
        process = subprocess.Popen([sys.executable, "-c", RELAY, os.readlink(head.link), str(port)])
        try:
            yield head, until(lambda: attempt(port))
        finally:
            process.kill()
            process.wait()


def attempt(port: int) -> socket.socket | None:
    try:
        return connected(port)
    except ConnectionRefusedError:
        return None


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


if __name__ == "__main__":
    main()
