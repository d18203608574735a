"""Many meters in one reader: what does it cost, how late is a value, and is any telegram lost?

    python bench/many_meters.py [meters] [seconds]

Meters speak over TCP, each at a loopback address of its own and at its own phase of the second, one telegram a second.
The clock of a telegram starts just before it is written, and stops when a client of /api/v1/live has its event. After
the end the history is asked how many telegrams it holds. Then 200 meters at pseudo-terminals, read by this server and
by sml2mqtt in turns (which knows no TCP); it publishes to a mosquitto of its own.
"""

import asyncio
import re
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import httpx

import peers
from iskra_server.simulator.household import INSTALLED, Household
from iskra_server.simulator.simulated_meter import FIRST_SERIAL
from iskra_server.simulator.sml_layouts import LAYOUTS
from iskra_server.simulator.sml_telegram import plate, telegram
from processes import cpu_s, memory_mb, program, running
from running import Head, Server, free_port, serving, until

METERS, SECONDS = 1000, 60
PEER_METERS, PEER_SECONDS = 200, 30
WARM_UP_S = 5
SML2MQTT = "sml2mqtt==3.7.0"
EVENT = re.compile(rb'event: reading\ndata: \{"id":"1 ISK 00 (\d{8})"')
LAYOUT = LAYOUTS["MT175"]


def main() -> None:
    meters = int(sys.argv[1]) if len(sys.argv) > 1 else METERS
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    # a server that is left behind would go on connecting
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(over_tcp(Path(directory), meters, seconds))
    if meters == METERS:
        with tempfile.TemporaryDirectory() as directory:
            beside(Path(directory))


class Meters:
    """`sent` is when each of their telegrams went out (monotonic), by serial number."""

    def __init__(self, meters: int, write: Callable[[int, bytes], None]) -> None:
        self.plates = [plate(LAYOUT, FIRST_SERIAL + number) for number in range(1, meters + 1)]
        self.sent: dict[int, list[float]] = {FIRST_SERIAL + number: [] for number in range(1, meters + 1)}
        self._write = write

    async def send(self, seconds: int) -> None:
        household = Household(1, 0, int(time.time()))
        began, first = time.monotonic(), int(time.time())
        for second in range(seconds):
            state = household.at(first + second)
            for number, own in enumerate(self.plates):
                data = telegram(LAYOUT, own, state, first + second - INSTALLED, second)
                due = began + second + number / len(self.plates)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                self.sent[10_000_001 + number].append(time.monotonic())
                self._write(number, data)


async def over_tcp(directory: Path, meters: int, seconds: int) -> None:
    writers: dict[int, asyncio.StreamWriter] = {}

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        high, low = map(int, writer.get_extra_info("sockname")[0].split(".")[2:])
        writers[high * 256 + low] = writer

    port = free_port()
    listening = await asyncio.start_server(connected, "0.0.0.0", port, backlog=meters)
    config = directory / "iskra-server.toml"
    config.write_text("".join(f'[[meters]]\nurl = "tcp://127.1.{n >> 8}.{n & 255}:{port}"\n' for n in range(meters)))
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(directory)}
    with on_another_thread("serve", "--config", str(config), environ=environ) as starting:
        server = await starting
        await asyncio.to_thread(until, lambda: len(writers) == meters, 30)
        events = Events(meters)
        watching = asyncio.create_task(events.watch(int(server.url.rpartition(":")[2])))
        await asyncio.sleep(1)
        sending = Meters(meters, lambda number, data: writers[number].write(data))
        pid = server.process.pid
        before_s, began = cpu_s(pid), time.monotonic()
        await sending.send(seconds)
        await asyncio.sleep(1)
        used = (cpu_s(pid) - before_s) / (time.monotonic() - began - 1)
        memory = memory_mb(pid)
        watching.cancel()
        status = await asyncio.to_thread(lambda: httpx.get(f"{server.url}/api/v1/status", timeout=60).json())
    listening.close()
    read = sum(each["facts"]["telegrams"] for each in status["meters"])
    faults = sum(sum(each["facts"]["faults"].values()) for each in status["meters"])
    report(sending, events, seconds, used, memory)
    print(f"telegrams sent {meters * seconds}, read {read}, damaged {faults}, in history {held(directory)}")


@contextmanager
def on_another_thread(*arguments: str, environ: dict[str, str]) -> Iterator["asyncio.Future[Server]"]:
    """`serving`, while the event loop here turns."""
    context = serving(*arguments, environ=environ)
    loop = asyncio.get_running_loop()
    yield loop.run_in_executor(None, context.__enter__)
    context.__exit__(None, None, None)


class Events:
    """A client of the live stream: `came` is when each meter's events arrived, by serial number."""

    def __init__(self, meters: int) -> None:
        self.came: dict[int, list[float]] = {FIRST_SERIAL + number: [] for number in range(1, meters + 1)}

    async def watch(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        writer.write(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        rest = b""
        while data := await reader.read(1 << 20):
            now = time.monotonic()
            *whole, rest = (rest + data).split(b"\n\n")
            for event in whole:
                if found := EVENT.search(event):
                    self.came[int(found[1])].append(now)


def report(meters: Meters, events: Events, seconds: int, used: float, memory: float) -> None:
    pairs = [pair for serial, sent in meters.sent.items() for pair in zip(sent, events.came[serial], strict=False)]
    came = sum(map(len, events.came.values()))
    met_by = min(begin for begin, _ in pairs) + 1
    late = quantiles([(end - begin) * 1000 for begin, end in pairs], n=100)
    later = quantiles([(end - begin) * 1000 for begin, end in pairs if begin > met_by], n=100)
    print(f"{len(meters.plates)} meters over TCP, a telegram a second each, {seconds} s")
    print(f"events {came}; ms from the bytes to the event: p50 {late[49]:.2f}, p99 {late[98]:.2f}")
    print(f"without the first second, in which each meter is met: p50 {later[49]:.2f}, p99 {later[98]:.2f}")
    each = used / len(meters.plates) * 1000
    print(f"processor {used:.0%} of a core, {each:.2f} s for 1,000 telegrams; memory {memory:.0f} MB")


def held(directory: Path) -> int:
    with sqlite3.connect(directory / "iskra.sqlite") as database:
        found: int = database.execute("SELECT sum(telegrams) FROM points").fetchone()[0]
    database.close()
    return found


def beside(directory: Path) -> None:
    """The same meters at pseudo-terminals: this server, then sml2mqtt."""
    heads = [Head(directory / f"head{number}") for number in range(PEER_METERS)]
    print(f"{PEER_METERS} meters at pseudo-terminals, a telegram a second each, {PEER_SECONDS} s")
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(directory)}
    with serving("serve", *(str(head.link) for head in heads), environ=environ) as server:
        until(lambda: all(each["facts"]["is_open"] for each in server.get("/api/v1/status").json()["meters"]), 60)
        cost("iskra-server", server.process.pid, heads)
        read = sum(each["facts"]["telegrams"] for each in server.get("/api/v1/status").json()["meters"])
        print(f"    of {(PEER_SECONDS + WARM_UP_S) * PEER_METERS} telegrams it has read {read}")
    if not (broker := program("mosquitto")):
        return
    command = peers.python_with(SML2MQTT).parent / "sml2mqtt"
    for head in heads:
        head.unplug()
        head.plug()
    port, log, config = free_port(), directory / "sml2mqtt.log", directory / "sml2mqtt.yml"
    inputs = ", ".join(f"{{type: serial, url: {head.link}, timeout: 6}}" for head in heads)
    config.write_text(
        f"logging: {{level: INFO, file: stdout}}\nmqtt: {{connection: {{host: 127.0.0.1, port: {port}}}}}\n"
        f"inputs: [{inputs}]\n"
    )
    with running(broker, "-p", port), log.open("w") as output, running(command, "-c", config, output=output) as pid:
        time.sleep(10)
        cost(SML2MQTT, pid, heads)
    read = set(re.findall(r"head(\d+).*OK", log.read_text()))
    print(f"    of {PEER_METERS} meters it has read {len(read)}")


def cost(name: str, pid: int, heads: list[Head]) -> None:
    sending = Meters(len(heads), lambda number, data: heads[number].send(data))
    asyncio.run(sending.send(WARM_UP_S))
    before_s, began = cpu_s(pid), time.monotonic()
    asyncio.run(sending.send(PEER_SECONDS))
    used = (cpu_s(pid) - before_s) / (time.monotonic() - began)
    each = used / PEER_METERS * 1000
    print(f"{name:16}processor {used:.0%} of a core, {each:.2f} s for 1,000 telegrams; memory {memory_mb(pid):.0f} MB")


if __name__ == "__main__":
    main()
