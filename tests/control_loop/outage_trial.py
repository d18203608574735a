"""Many clients, gaps between telegrams, restarts, pauses, steps of the server's clock, judged by the checker of truth.

All devices are asked, each at a port of its own, and each client has a loopback address of its own. Where libfaketime
is installed the wall clock of the server is moved, forth and back: nothing else on the machine has that clock.
"""

import asyncio
import random
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
from msgspec import Struct

import other_clock
from control_loop.batteries import TIMEOUT_S
from control_loop.devices import Device, environment, ports
from control_loop.network_meter import NetworkMeter
from control_loop.truth import LATE_S, Truth
from running import Server, free_port, serving

CLOCK_STEPS_S = 7200
# libfaketime looks into its file once a second
CLOCK_SEEN_S = 1.5
# shorter and longer than what shows in recorded times (base/pauses.py)
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 6.0
# of the devices, and of the API beside them
STALE_KEYS = "IES_EMULATION_STALE_AFTER_S", "IES_METERS_STALE_AFTER_S"
FIRST_ADDRESS = 2


class Trial(Struct, frozen=True):
    """Seconds are real. `fault_every_s`: the longest time between two faults."""

    devices: Sequence[Device]
    length_s: float
    clients: int = 20
    poll_s: float = 0.5
    interval_s: float = 1.0
    stale_after_s: float = 10.0
    longest_gap_s: float = 30.0
    fault_every_s: float = 15.0
    seed: int = 1
    # as of the checker
    late_s: float = LATE_S


class Outcome(Struct, frozen=True):
    truth: Truth
    faults: Counter[str]


class Outage:
    """A server at fixed ports that is stopped, killed and started, its meter, and its clients."""

    def __init__(self, trial: Trial, folder: Path, listener: socket.socket) -> None:
        self._trial = trial
        self._chance = random.Random(trial.seed)
        self.truth = Truth(trial.stale_after_s, trial.late_s)
        self.faults = Counter[str]()
        self._clock = folder / "clock"
        self._meter_url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        self._port, self._ports = free_port(), ports(trial.devices)
        self._is_silent = False
        self._stack = ExitStack()
        self.server: Server

    def start(self) -> None:
        environ = environment(self._ports) | dict.fromkeys(STALE_KEYS, f"{self._trial.stale_after_s:g}")
        if not other_clock.MISSING:
            self._clock.write_text("+0")
            clock = {"FAKETIME_TIMESTAMP_FILE": str(self._clock), "FAKETIME_CACHE_DURATION": "1"}
            environ |= other_clock.other_clock(**clock)
        self.truth.started(time.monotonic())
        self.server = self._stack.enter_context(serving("serve", self._meter_url, environ=environ, port=self._port))
        self.truth.ready(time.monotonic())

    def stop(self) -> None:
        self.truth.stopped()
        self._stack.close()

    async def send_telegrams(self, listener: socket.socket) -> None:
        meter = NetworkMeter()
        due_s = time.monotonic()
        async with meter.listening(listener):
            while True:
                if not self._is_silent:
                    meter.send(self.truth.next_power_w(time.monotonic()), due_s)
                due_s += self._trial.interval_s
                await asyncio.sleep(due_s - time.monotonic())

    async def ask(self, number: int) -> None:
        device, address = self._trial.devices[number % len(self._trial.devices)], f"127.0.0.{FIRST_ADDRESS + number}"
        name = f"{device.name} {address}"
        async with device.connect(self.server, self._ports[device.section], address) as client:
            while True:
                asked_s, power_w = time.monotonic(), None
                with suppress(TimeoutError, OSError, httpx.HTTPError):
                    async with asyncio.timeout(TIMEOUT_S):
                        power_w = await client.power_w()
                self.truth.check(name, asked_s, time.monotonic(), power_w)
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) * self._trial.poll_s)

    async def disturb(self) -> None:
        faults = [self.gap, self.restart, self.kill, self.pause, *([] if other_clock.MISSING else [self.move_clock])]
        while True:
            await asyncio.sleep(self._chance.uniform(0.3, 1.0) * self._trial.fault_every_s)
            fault = self._chance.choice(faults)
            self.faults[fault.__name__.replace("_", " ")] += 1
            await fault()

    async def gap(self) -> None:
        """Half of them with a step of the clock within."""
        self._is_silent = True
        length_s = self._gap_s()
        await asyncio.sleep(length_s / 2)
        if not other_clock.MISSING and self._chance.random() < 0.5:
            self.faults["clock in a gap"] += 1
            await self.move_clock()
        await asyncio.sleep(length_s / 2)
        self._is_silent = False

    def _gap_s(self) -> float:
        return self._chance.uniform(0.1, 1.0) * self._trial.longest_gap_s

    async def pause(self) -> None:
        """The process is stopped and continued. In half of them a gap begins meanwhile: the last telegram waits."""
        length_s = self._chance.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)
        self.truth.stopped()
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(length_s / 2)
            self._is_silent = self._chance.random() < 0.5
            await asyncio.sleep(length_s / 2)
        finally:
            self.server.process.send_signal(signal.SIGCONT)
        self.truth.ready(time.monotonic())
        if self._is_silent:
            self.faults["gap in a pause"] += 1
            await asyncio.sleep(self._gap_s())
            self._is_silent = False

    async def restart(self) -> None:
        await asyncio.to_thread(self.stop)
        await asyncio.to_thread(self.start)

    async def kill(self) -> None:
        self.server.process.kill()
        await self.restart()

    async def move_clock(self) -> None:
        """The server takes a step of the clock for a pause of the machine, and waits for the next telegram."""
        self._clock.write_text(f"{self._chance.randint(-CLOCK_STEPS_S, CLOCK_STEPS_S):+d}")
        self.truth.clock_moved(time.monotonic() + CLOCK_SEEN_S)
        await asyncio.sleep(CLOCK_SEEN_S)


def run(trial: Trial) -> Outcome:
    """Run it to its end."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        outage = Outage(trial, Path(folder), listener)
        outage.start()
        try:
            asyncio.run(_run(outage, trial, listener))
        finally:
            outage.stop()
    return Outcome(outage.truth, outage.faults)


async def _run(outage: Outage, trial: Trial, listener: socket.socket) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(trial.length_s), asyncio.TaskGroup() as tasks:
            tasks.create_task(outage.send_telegrams(listener))
            tasks.create_task(outage.disturb())
            for number in range(trial.clients):
                tasks.create_task(outage.ask(number))
