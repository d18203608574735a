"""What slow clients do to the others: how soon the cumulated endpoint answers while 500 connections drip.

    python bench/abuse.py [connections]

They are of three kinds, as in slowloris: silent, half a request line, headers without end; each sends an octet
now and then, and is opened again when the server has ended it. The requests come from one client, each on a connection
of its own, as Home Assistant's do at a long interval; first without the others, then with them.
"""

import asyncio
import os
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from running import Server, serving, until

CONNECTIONS = 500
REQUESTS = 2000
BEGINNINGS = (b"", b"GET /api/electric", b"GET / HTTP/1.1\r\nhost: a\r\nx: ")
ASK = b"GET /api/electricity/cumulated HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CONNECTIONS
    with tempfile.TemporaryDirectory() as directory:
        os.environ["IES_DATA_DIR"] = directory
        with serving("serve", "simulator:MT175") as server:
            until(lambda: server.cumulated().status_code == 200)
            port = int(server.url.rpartition(":")[2])
            show("alone", times_ms(port), server)
            stop = threading.Event()
            attack = threading.Thread(target=lambda: asyncio.run(attacking(port, count, stop)))
            attack.start()
            time.sleep(3)
            show(f"beside {count} slow connections", times_ms(port), server)
            stop.set()
            attack.join()


def times_ms(port: int) -> list[float]:
    times = []
    for _ in range(REQUESTS):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(ASK)
            answer = b""
            while part := client.recv(4096):
                answer += part
        times.append((time.monotonic() - began) * 1000)
        if b"200 OK" not in answer:
            raise SystemExit(f"not answered: {answer!r}")
    return sorted(times)


async def attacking(port: int, count: int, stop: threading.Event) -> None:
    await asyncio.gather(*(drip(port, number, stop) for number in range(count)))


async def drip(port: int, number: int, stop: threading.Event) -> None:
    while not stop.is_set():
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(BEGINNINGS[number % len(BEGINNINGS)])
            while not stop.is_set() and not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(1 + number % 7 / 7)
            writer.close()
        await asyncio.sleep(0.5)


def show(name: str, times: list[float], server: Server) -> None:
    p50, p99 = (times[int(len(times) * share)] for share in (0.5, 0.99))
    files = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
    print(f"{name:32}p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, longest {times[-1]:6.2f} ms, {files} open files")


if __name__ == "__main__":
    main()
