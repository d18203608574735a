"""How soon emulated devices answer, and how old the reading is then.

    python bench/device_answers.py [requests]

A meter sends over TCP, each telegram with a power of its own. First a client asks ten times a second at random moments,
with wait_fresh_s = 0: the time of an answer, and the age of its telegram when it arrives, from the moment before the
telegram is written. Then with wait_fresh_s = 2 the client always waits for the next telegram: how far behind the
telegram the answer is. That is all of the way: kernel, decoder, guard, device, kernel. `bare` is a process that counts
telegrams and answers by UDP, without any processing: what this machine takes in any case.
"""

import asyncio
import itertools
import json
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from struct import unpack

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from websockets.sync.client import connect

from control_loop.devices import DEVICES, SHELLY_3EM, SHELLY_MODBUS, SUNSPEC, VZLOGGER, environment, ports
from control_loop.network_meter import NetworkMeter
from control_loop.truth import FIRST_W
from outputs.emulation.modbus_client import frame, reading
from processes import running
from running import free_port, serving, until

REQUESTS = 200
PAUSE_S = 0.1
INTERVAL_S, WAITING_INTERVAL_S = 1.0, 0.1
PATHS = {
    "EcoTracker": "/v1/json",
    "Shelly HTTP": "/rpc/EM.GetStatus?id=0",
    "Shelly EM1": "/rpc/EM1.GetStatus?id=0",
    "Shelly 3EM": "/status",
    "vzlogger": "/",
}
# the request for the power, and whether its low word is the first one
MODBUS = {SUNSPEC.name: (frame(reading(40_097, 2)), False), SHELLY_MODBUS.name: (frame(reading(1013, 2)), True)}
SECTIONS = {device.name: device.section for device in DEVICES}
# energy managers ask these: no answer waits for a telegram
AT_ONCE = (SHELLY_3EM.name, VZLOGGER.name)
REQUEST = {"method": "EM.GetStatus", "params": {"id": 0}}

BARE = "bare, by UDP"
RELAY = r"""
import select, socket, sys
meter = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
port = socket.socket(type=socket.SOCK_DGRAM)
port.bind(("127.0.0.1", int(sys.argv[2])))
power, waits, told, client = int(sys.argv[3]) - 1, sys.argv[4] == "True", 0, None
while True:
    readable, _, _ = select.select([meter, port], [], [])
    if meter in readable:
        power += meter.recv(65536).count(b"\x1b\x1b\x1b\x1b\x1a")
    if port in readable:
        _, client = port.recvfrom(4096)
    if client and power > (told if waits else 0):
        port.sendto(b'{"power": %d}' % power, client)
        told, client = power, None
"""

NAMES = (BARE, *SECTIONS)

# sends a request, and returns the answer
Ask = Callable[[], bytes]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    # a server that is left behind would go on reading
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"ms, {count} requests            answer  age of the telegram  behind the telegram")
    print(f"{'device':18}" + 3 * "        p50     p99")
    chance = random.Random(1)
    answers: dict[str, tuple[list[float], list[float]]] = {}
    with served(INTERVAL_S, wait_fresh_s=0) as (at, sent_s):
        for name in NAMES:
            with client(name, at) as ask:
                asked = [timed(ask, sent_s, chance.uniform(0.5, 1.5) * PAUSE_S) for _ in range(count)]
            answers[name] = [answer_s for answer_s, _ in asked], [age_s for _, age_s in asked]
    with served(WAITING_INTERVAL_S, wait_fresh_s=2) as (at, sent_s):
        for name in NAMES:
            behind = "-"
            if name not in AT_ONCE:
                with client(name, at) as ask:
                    timed(ask, sent_s, 0)
                    behind = ms([timed(ask, sent_s, 0)[1] for _ in range(count)])
            times = "".join(f"{ms(times):>19}" for times in answers[name])
            print(f"{name:18}{times}{behind:>19}", flush=True)


def timed(ask: Ask, sent_s: list[float], pause_s: float) -> tuple[float, float]:
    """Seconds of one answer, and the age of its telegram at the end."""
    time.sleep(pause_s)
    began_s = time.monotonic()
    content = ask()
    ended_s = time.monotonic()
    return ended_s - began_s, ended_s - sent_s[power_of(content) - FIRST_W]


def power_of(content: bytes) -> int:
    """The power in an answer of any device: the first of these keys."""
    answer = json.loads(content)
    if "data" in answer:
        power: float = answer["data"][0]["tuples"][0][1]
    else:
        answer = answer.get("result", answer)
        power = next(answer[key] for key in ("power", "total_act_power", "act_power", "total_power") if key in answer)
    return round(power)


def ms(times_s: list[float]) -> str:
    return f"{median(times_s) * 1000:7.2f}{quantiles(times_s, n=100)[98] * 1000:8.2f}"


@contextmanager
def served(interval_s: float, wait_fresh_s: float) -> Iterator[tuple[dict[str, int], list[float]]]:
    """A server with all devices: the port of each section, and when the telegram of each power was written."""
    at, stop = ports(DEVICES), threading.Event()
    sent_s: list[float] = []
    keys = "IES_EMULATION_WAIT_FRESH_S", "IES_SUNSPEC_WAIT_FRESH_S", "IES_SHELLY_MODBUS_WAIT_FRESH_S"
    environ = environment(at) | dict.fromkeys(keys, str(wait_fresh_s))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        meter_port, bare = listener.getsockname()[1], free_port()
        relay = sys.executable, "-c", RELAY, meter_port, bare, FIRST_W, wait_fresh_s > 0
        with running(*relay), serving("serve", f"tcp://127.0.0.1:{meter_port}", environ=environ) as server:
            meter = threading.Thread(target=lambda: asyncio.run(send(listener, interval_s, sent_s, stop)))
            meter.start()
            try:
                until(lambda: server.cumulated().status_code == 200)
                yield at | {BARE: bare}, sent_s
            finally:
                stop.set()
                meter.join()


async def send(listener: socket.socket, interval_s: float, sent_s: list[float], stop: threading.Event) -> None:
    meter = NetworkMeter()
    async with meter.listening(listener):
        # the server and the bare process count from the first telegram on
        while meter.clients < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        while not stop.is_set():
            sent_s.append(time.monotonic())
            meter.send(FIRST_W + len(sent_s) - 1, time.monotonic())
            # without the time that it took to make the telegram
            sent_s[-1] = meter.written_s
            await asyncio.sleep(interval_s)


@contextmanager
def client(name: str, at: dict[str, int]) -> Iterator[Ask]:
    """A client of the device of this name that keeps its connection."""
    port = at[SECTIONS.get(name, BARE)]
    with ExitStack() as stack:
        if name == "Shelly WebSocket":
            yield websocket(stack, port)
        elif name in PATHS:
            yield http(stack, port, PATHS[name])
        elif name in MODBUS:
            yield modbus(stack, port, *MODBUS[name])
        else:
            datagrams = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            datagrams.connect(("127.0.0.1", port))
            yield lambda: (datagrams.send(json.dumps({"id": 1, **REQUEST}).encode()), datagrams.recv(4096))[1]


def websocket(stack: ExitStack, port: int) -> Ask:
    socket = stack.enter_context(connect(f"ws://127.0.0.1:{port}/rpc", compression=None, proxy=None))
    numbers = itertools.count(1)

    def ask() -> bytes:
        number = next(numbers)
        socket.send(json.dumps({"id": number, "src": "bench", **REQUEST}))
        while True:
            content = socket.recv(decode=False)
            if json.loads(content).get("id") == number:
                return content

    return ask


def modbus(stack: ExitStack, port: int, request: bytes, is_low_first: bool) -> Ask:
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))

    def ask() -> bytes:
        connection.sendall(request)
        answer = connection.recv(256)
        # header (7), function, length, a float; an exception is shorter
        if len(answer) != 13:
            raise SystemExit(f"Modbus: {answer!r}")
        words = answer[9:]
        (power_w,) = unpack(">f", words[2:] + words[:2] if is_low_first else words)
        return json.dumps({"power": power_w}).encode()

    return ask


def http(stack: ExitStack, port: int, path: str) -> Ask:
    """Some devices close the connection behind each answer, as the real ones do."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    connections: list[socket.socket] = []

    def ask() -> bytes:
        if not connections:
            connections.append(stack.enter_context(socket.create_connection(("127.0.0.1", port))))
        connections[0].sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            data = connections[0].recv(65536)
            if not data:
                raise SystemExit(f"{path}: closed after {received!r}")
            received += data
        head, _, content = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
        if " 200 " not in head.decode().partition("\r\n")[0]:
            raise SystemExit(f"{path}: {head!r}")
        while len(content) < int(fields["content-length"]):
            content += connections[0].recv(65536)
        if fields.get("connection") == "close":
            connections.pop().close()
        return content

    return ask


if __name__ == "__main__":
    main()
