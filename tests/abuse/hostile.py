"""What wears a server out: a device with the worst bytes, slow clients, and a flood of questions.

python tests/abuse/hostile.py      prints the port of the device; attacks the server whose port it reads from stdin
"""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

# a telegram that begins and ends at once: what costs a decoder most by the byte
WORST = (b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01" + b"\x1b\x1b\x1b\x1b\x1a\x00\xab\xcd") * 1024
BEGINNINGS = (b"", b"GET /api/electric", b"GET / HTTP/1.1\r\nhost: a\r\nx: ")
STREAM = b"GET /api/v1/live HTTP/1.1\r\nhost: a\r\n\r\n"
# a year of quarters, and what is far too much
QUESTIONS = (
    b"GET /api/v1/meters/1ISK0012345678/quarters?from=2025-10-26&to=2026-11-%02d HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /api/v1/fleet/energy?group=a:b&bucket=15min&from=1970&to=29%02d HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /api/v1/fleet/meters?after=\xc2\xb2-%d HTTP/1.1\r\nhost: a\r\n\r\n",
)
CONNECTIONS, STREAMS, FLOODS = 500, 100, 8


@contextmanager
def device(stop: threading.Event) -> Iterator[int]:
    """A device that sends as fast as it is taken; gives its port."""

    def send(listening: socket.socket) -> None:
        while not stop.is_set():
            with suppress(OSError), listening.accept()[0] as connection:
                connection.settimeout(1)
                while not stop.is_set():
                    with suppress(TimeoutError):
                        connection.sendall(WORST)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(1)
        thread = threading.Thread(target=send, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stop.set()
            thread.join()


@contextmanager
def attacking(port: int, stop: threading.Event, connections: int = CONNECTIONS) -> Iterator[None]:
    """Slow clients, streams and questions without end, until it is left."""
    thread = threading.Thread(target=lambda: asyncio.run(_attack(port, connections, stop)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def _attack(port: int, connections: int, stop: threading.Event) -> None:
    share = connections / CONNECTIONS
    await asyncio.gather(
        *(drip(port, number, stop) for number in range(connections)),
        *(stay(port, stop) for _ in range(int(STREAMS * share))),
        *(flood(port, number, stop) for number in range(max(1, int(FLOODS * share)))),
    )


async def drip(port: int, number: int, stop: threading.Event) -> None:
    """Half a request, and a byte of it now and then; opened again when the server has ended it."""
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


async def stay(port: int, stop: threading.Event) -> None:
    """A live stream of which nothing is read."""
    while not stop.is_set():
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(STREAM)
            while not stop.is_set() and not writer.transport.is_closing():  # noqa: ASYNC110 - another thread's event
                await asyncio.sleep(0.2)
            writer.close()
        await asyncio.sleep(0.5)


async def flood(port: int, number: int, stop: threading.Event) -> None:
    """Question after question; nobody waits for an answer."""
    while not stop.is_set():
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(QUESTIONS[number % len(QUESTIONS)] % (1 + number % 26))
            await writer.drain()
            writer.close()
        number += 1
        await asyncio.sleep(0.02)


def main(arguments: Sequence[str]) -> None:
    stop = threading.Event()
    with device(stop) as port:
        print(port, flush=True)
        server = sys.stdin.readline()
        if server.strip():
            with attacking(int(server), stop, int(arguments[0]) if arguments else CONNECTIONS):
                print("attacking", flush=True)
                # until it is closed
                sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
