"""Several meters in one server: none delays another, and each is known by its own number."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import telegrams
from running import Head, Server, events, serving, until

# what delays would do so for minutes; a busy machine does for seconds
PROMPT_S = 30.0
NOISE = random.Random(1).randbytes(1 << 16)


def server_id(number: int) -> bytes:
    return bytes.fromhex("090149534b00") + number.to_bytes(4)


def telegram(number: int, energy: int) -> bytes:
    entries = telegrams.meter_entries(energy=energy)
    return telegrams.telegram(entries, seconds=energy, server_id=server_id(number))


@contextmanager
def speaking(speak: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """A device on the network; gives its URL. `speak` talks to whoever connects, until it is told to stop."""
    stop = threading.Event()

    def serve() -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            connection.settimeout(1)
            while not stop.is_set():
                speak(connection, stop)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        stop.set()
        thread.join()


def flood(connection: socket.socket, stop: threading.Event) -> None:
    """Noise, telegrams that are cut off, and noise again, as fast as it is taken."""
    with suppress(TimeoutError):
        connection.sendall(NOISE + telegram(3, 100)[:200] * 100)


def trickle(connection: socket.socket, stop: threading.Event) -> None:
    """A telegram byte by byte, which takes minutes."""
    for byte in telegram(4, 100):
        connection.sendall(bytes((byte,)))
        if stop.wait(0.3):
            return


def stand(connection: socket.socket, stop: threading.Event) -> None:
    """Connected, and silent."""
    stop.wait()


def prompt(stream: Iterator[dict[str, object]], meter_id: str, started: float) -> bool:
    """Whether the next event of this meter comes in time."""
    return any(event["id"] == meter_id for event in stream) and time.monotonic() - started < PROMPT_S


def test_a_noisy_a_slow_and_a_silent_meter_delay_no_other(tmp_path: Path) -> None:
    quick = [Head(tmp_path / "one"), Head(tmp_path / "two")]
    with ExitStack() as stack:
        urls = [stack.enter_context(speaking(speak)) for speak in (flood, trickle, stand)]
        server = stack.enter_context(serving("serve", *urls, *(str(head.link) for head in quick)))
        until(lambda: facts(server)[0]["byte_count"] > 10 * len(NOISE))
        until(lambda: all(each["is_open"] for each in facts(server)))
        stream = stack.enter_context(events(server))
        for energy in range(100, 110):
            for number, head in enumerate(quick, 1):
                started = time.monotonic()
                head.send(telegram(number, energy))
                assert prompt(stream, f"1 ISK 00 {number:08}", started)
        assert facts(server)[0]["telegrams"] == 0


def test_each_meter_is_known_by_its_number_and_swapped_plugs_change_nothing(tmp_path: Path) -> None:
    heads = [Head(tmp_path / "one"), Head(tmp_path / "two")]
    with serving("serve", *(str(head.link) for head in heads)) as server:
        until(lambda: all(each["is_open"] for each in facts(server)))
        for energy, order in ((100, heads), (102, heads[::-1])):
            for number, head in enumerate(order, 1):
                head.send(telegram(number, energy + 1000 * number))
            until(lambda: [each["meter_id"] for each in facts(server)] == [meter(head, order) for head in heads])  # noqa: B023
            for number, head in enumerate(order, 1):
                head.send(telegram(number, energy + 1 + 1000 * number))
                value = (energy + 1 + 1000 * number) / 10_000
                until(lambda: total(server, number) == value)  # noqa: B023
        assert [each["quarantined"] for each in facts(server)] == [0, 0]


def test_a_meter_that_is_read_twice_is_served_once(tmp_path: Path) -> None:
    heads = [Head(tmp_path / "one"), Head(tmp_path / "two")]
    with serving("serve", *(str(head.link) for head in heads)) as server:
        until(lambda: all(each["is_open"] for each in facts(server)))
        heads[0].send(telegram(1, 110))
        until(lambda: total(server, 1) == 0.0110)
        # what waited on a slow line comes in one piece
        heads[1].send(b"".join(telegram(1, energy) for energy in range(100, 105)))
        until(lambda: facts(server)[1]["telegrams"] == 5)
        assert total(server, 1) == 0.0110
        assert len(server.get("/api/v1/meters").json()["meters"]) == 1
        second = server.get("/api/v1/status").json()["meters"][1]
        assert second["ok"]
        assert second["advice"]["fault"] == "two_heads"
        heads[0].unplug()
        until(lambda: not facts(server)[0]["is_open"])
        heads[1].send(telegram(1, 111))
        until(lambda: total(server, 1) == 0.0111)


def meter(head: Head, order: list[Head]) -> str:
    return f"1 ISK 00 {order.index(head) + 1:08}"


def facts(server: Server) -> list[dict[str, Any]]:
    return [each["facts"] for each in server.get("/api/v1/status").json()["meters"]]


def total(server: Server, number: int) -> float | None:
    value: float | None = server.get(f"/api/electricity/cumulated?meter=1ISK00{number:08}").json().get("value")
    return value
