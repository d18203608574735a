"""The closed loop: household, its meter, the real server, the device, and batteries that ask it."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress

import httpx
from msgspec import Struct

from control_loop.batteries import TIMEOUT_S, Battery, Model
from control_loop.devices import Device, environment, ports
from control_loop.household import Household, SimulatedClock
from control_loop.meter_clients import MeterClient
from running import Server, serving

# each battery has a loopback address of its own
FIRST_ADDRESS = 2


class Loop(Struct, frozen=True):
    """What is tried: `followers` are devices and the batteries that ask them. All seconds are simulated."""

    followers: Sequence[tuple[Device, Model]]
    # between telegrams
    interval_s: float
    settings: dict[str, str] = {}
    # settings in seconds, which are divided by the speed
    periods: dict[str, float] = {}
    speed: float = 1.0


# what happens to the household while the loop runs
Script = Callable[[Household], Awaitable[None]]


def run(loop: Loop, script: Script) -> Household:
    """Run the loop until the script is done, in real time divided by its speed."""
    at = ports(device for device, _ in loop.followers)
    periods = {key: f"{value / loop.speed:g}" for key, value in loop.periods.items()}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        meter = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        with serving("serve", meter, environ={**environment(at), **loop.settings, **periods}) as server:
            return asyncio.run(_run(loop, script, listener, server, at))


async def _run(loop: Loop, script: Script, listener: socket.socket, server: Server, ports: dict[str, int]) -> Household:
    household = Household(SimulatedClock(loop.speed), [Battery(model) for _, model in loop.followers])
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(device.connect(server, ports[device.section], f"127.0.0.{number}"))
            for number, (device, _) in enumerate(loop.followers, FIRST_ADDRESS)
        ]
        household.clock.start()
        tasks = [asyncio.create_task(household.send_telegrams(listener, loop.interval_s))]
        tasks += [
            asyncio.create_task(_regulate(battery, client, household.clock, random.Random(f"phase {number}")))
            for number, (battery, client) in enumerate(zip(household.batteries, clients, strict=True))
        ]
        scripted = asyncio.ensure_future(script(household))
        try:
            # a task that fails ends the loop
            done, _ = await asyncio.wait([*tasks, scripted], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*tasks, scripted):
                task.cancel()
            await asyncio.gather(*tasks, scripted, return_exceptions=True)
    return household


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
        if power_w is not None:
            battery.asked_s = asked_s
        # an answer that was held back moves the next poll
        due_s = max(asked_s + poll_s, clock.now_s())
