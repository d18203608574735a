"""The closed loop: household, its meter, the real server, the device, and batteries that ask it."""

import asyncio
import random
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress

import httpx
from msgspec import Struct

from control_loop.batteries import TIMEOUT_S, Battery, Model
from control_loop.household import Household, Moment, SimulatedClock
from control_loop.meter_clients import MeterClient
from running import Server, free_port, serving

# each battery has a loopback address of its own
FIRST_ADDRESS = 2
EVERY_S = 1.0


class Device(Struct, frozen=True):
    """A way to ask the server: `environ` makes the settings for a free port, `client` what asks at this port."""

    name: str
    environ: Callable[[int], dict[str, str]]
    client: Callable[[Server, int, str], AbstractAsyncContextManager[MeterClient]]


class Loop(Struct, frozen=True):
    """What is tried. `load_w`: the load at a second. `gaps`: from and to, without telegrams. Seconds are simulated."""

    device: Device
    models: Sequence[Model]
    interval_s: float
    length_s: float
    load_w: Callable[[float], float]
    gaps: Sequence[tuple[float, float]] = ()
    settings: dict[str, str] = {}
    # periods in seconds that are divided by the speed
    periods: dict[str, float] = {}
    speed: float = 1.0


class Outcome(Struct, frozen=True):
    """What happened: a record of every tenth of a second, and second and power of each telegram."""

    record: Sequence[Moment]
    batteries: Sequence[Battery]
    sent: Sequence[tuple[float, int]]


def step(at_s: float, before_w: float, after_w: float, back_s: float = float("inf")) -> Callable[[float], float]:
    """A load that changes at one second, and back at another."""
    return lambda second: after_w if at_s <= second < back_s else before_w


def run(loop: Loop) -> Outcome:
    """Run it to its end, in real time divided by its speed."""
    port = free_port()
    periods = {key: f"{value / loop.speed:g}" for key, value in loop.periods.items()}
    environ = {**loop.settings, **periods, **loop.device.environ(port)}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        meter = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        with serving("serve", meter, environ=environ) as server:
            return asyncio.run(_run(loop, listener, server, port))


async def _run(loop: Loop, listener: socket.socket, server: Server, port: int) -> Outcome:
    batteries = [Battery(model) for model in loop.models]
    clock = SimulatedClock(loop.speed)
    household = Household(clock, loop.load_w, batteries)
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(loop.device.client(server, port, f"127.0.0.{number}"))
            for number, _ in enumerate(batteries, FIRST_ADDRESS)
        ]
        clock.start()
        tasks = [asyncio.create_task(household.send_telegrams(listener, loop.interval_s, loop.gaps))]
        tasks += [
            asyncio.create_task(_regulate(battery, client, clock, random.Random(f"phase {number}")))
            for number, (battery, client) in enumerate(zip(batteries, clients, strict=True))
        ]
        try:
            while clock.now_s() < loop.length_s:
                # a task that fails ends the loop
                done, _ = await asyncio.wait(tasks, timeout=EVERY_S / loop.speed, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                household.advance()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return Outcome(household.record, batteries, household.sent)


async def _regulate(battery: Battery, client: MeterClient, clock: SimulatedClock, phase: random.Random) -> None:
    """Poll as the battery polls, at a phase of its own."""
    poll_s = battery.model.poll_s
    due_s = phase.uniform(0.0, poll_s)
    while True:
        await clock.sleep_until(due_s)
        asked_s = clock.now_s()
        power_w = None
        # the server is restarting, or does not answer
        with suppress(TimeoutError, OSError, httpx.HTTPError):
            async with asyncio.timeout(TIMEOUT_S / clock.speed):
                power_w = await client.power_w()
        battery.answer(power_w, clock.now_s())
        # an answer that was held back moves the next poll
        due_s = max(asked_s + poll_s, clock.now_s())
