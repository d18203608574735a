"""A household with batteries behind an SML meter, simulated in real time or faster.

    load - power of the batteries = power at the meter        + from the grid, - to the grid, as the meter says it

The counters are the integral of the same power. At `speed` 10 ten seconds of the household pass in one second: every
period of meter, batteries and server must be divided by it.
"""

import asyncio
import itertools
import random
import socket
import time
from collections.abc import Sequence

from msgspec import Struct

from control_loop.batteries import Battery
from control_loop.network_meter import NetworkMeter

# short beside the dead time and ramp of a battery
STEP_S = 0.02
STEPS_PER_RECORD = 5
RECORD_S = STEP_S * STEPS_PER_RECORD
# what small appliances add and leave out from second to second
FLICKER_W = 4
BASE_LOAD_W = 200.0
TICK_S = 1.0


class SimulatedClock:
    """Seconds of the household since `start`."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._started: float = time.monotonic()

    def start(self) -> None:
        self._started = time.monotonic()

    def now_s(self) -> float:
        return (time.monotonic() - self._started) * self.speed

    async def sleep_until(self, second: float) -> None:
        await asyncio.sleep((second - self.now_s()) / self.speed)


class Moment(Struct, frozen=True, gc=False):
    """The household at one second: power at the meter, of the load and of each battery (+ into the house), in W."""

    second: float
    grid_w: float
    load_w: float
    batteries_w: tuple[float, ...]


class Household:
    """`load_w` is the load from now on; no telegram is sent while `is_silent`.

    `record` has a moment every tenth of a second; `sent` the second and power of each telegram.
    """

    def __init__(self, clock: SimulatedClock, batteries: Sequence[Battery]) -> None:
        self.clock, self.batteries = clock, batteries
        self.load_w, self.is_silent = BASE_LOAD_W, False
        self.record: list[Moment] = []
        self.sent: list[tuple[float, int]] = []
        self._flicker = random.Random("flicker")
        self._steps, self._second = 0, 0.0
        self._grid_w = self.load_w
        self._import_mws = self._export_mws = 0.0
        self._meter = NetworkMeter()

    def advance(self) -> None:
        """Compute the household up to now."""
        now_s = self.clock.now_s()
        while (self._steps + 1) * STEP_S <= now_s:
            self._steps += 1
            self._second = self._steps * STEP_S
            for battery in self.batteries:
                battery.advance(self._second, STEP_S)
            load_w = self.load_w + self._flicker.uniform(-FLICKER_W, FLICKER_W)
            powers = tuple(battery.power_w for battery in self.batteries)
            self._grid_w = load_w - sum(powers)
            energy_mws = self._grid_w * 1000 * STEP_S
            self._import_mws += max(0.0, energy_mws)
            self._export_mws -= min(0.0, energy_mws)
            if self._steps % STEPS_PER_RECORD == 0:
                self.record.append(Moment(self._second, self._grid_w, load_w, powers))

    async def run_until(self, second: float) -> None:
        """Let time pass."""
        while self.clock.now_s() < second:
            await self.clock.sleep_until(min(second, self.clock.now_s() + TICK_S))
            self.advance()

    async def send_telegrams(self, listener: socket.socket, interval_s: float) -> None:
        """Send a telegram every `interval_s` to everyone who is connected."""
        async with self._meter.listening(listener):
            for count in itertools.count(1):
                await self.clock.sleep_until(count * interval_s)
                self.advance()
                if not self.is_silent:
                    power_w = round(self._grid_w)
                    self.sent.append((self._second, power_w))
                    self._meter.send(power_w, self._second, self._import_mws, self._export_mws)
