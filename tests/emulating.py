"""An emulated device in the test's own process: a meter whose power the test sets, and a device behind a real port."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from functools import wraps
from typing import ParamSpec

from msgspec.structs import replace

from iskra_server.base.clock import boottime_s
from iskra_server.meter.reading import Register
from iskra_server.outputs.emulation.clients import Clients, Rules
from iskra_server.outputs.emulation.grid import Grid, GridReading
from iskra_server.reading.hub import Hub
from samples import EXPORT, METER_ID, energy, power, sample

CLIENT = "192.168.1.30"
MAC = "02ab34cd56ef"
STALE_AFTER_S = 10.0

_NONE = (None, None, None)

P = ParamSpec("P")


def in_event_loop(test: Callable[P, Coroutine[object, object, None]]) -> Callable[P, None]:
    """Runs an asynchronous test."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


def grid_reading(**changes: object) -> GridReading:
    """The record of a meter that sends its power of 412 W and both counters, with these changes."""
    fields: dict[str, object] = {
        "meter_id": "1 ISK 00 12345678",
        "simulated": False,
        "arrived_s": 0.0,
        "power_w": Decimal(412),
        "phases_w": None,
        "mean_w": Decimal("398.4"),
        "import_wh": Decimal("12345678.9"),
        "export_wh": Decimal("1234.5"),
        "tariffs_wh": (None, None),
        "voltages_v": _NONE,
        "currents_a": _NONE,
        "frequency_hz": None,
    }
    return GridReading(**(fields | changes))  # type: ignore[arg-type]


class GridMeter:
    """A meter of which a telegram comes when the test says so. `grid` is its record."""

    def __init__(self, stale_after_s: float = STALE_AFTER_S) -> None:
        self.hub = Hub()
        self.grid = Grid(self.hub, lambda: METER_ID if METER_ID in self.hub.newest else None, stale_after_s)

    def send(self, *registers: Register, age_s: float = 0.0, protocol: str = "sml", **more: object) -> None:
        """A telegram that arrived `age_s` ago. A meter that speaks "dlms" may send its registers in several."""
        made = sample(*registers)
        made = replace(made, monotonic_s=boottime_s() - age_s, **more)
        self.hub.publish(replace(made, reading=replace(made.reading, protocol=protocol)))

    def send_power(self, watts: int, *, import_raw: int = 123_456_789, export_raw: int = 12_345) -> None:
        """With both counters, of 0.1 Wh."""
        self.send(energy(import_raw), energy(export_raw, obis=EXPORT), power(watts))

    async def keep_sending(self, watts: int) -> None:
        """Until it is cancelled."""
        while True:
            self.send_power(watts)
            await asyncio.sleep(0.2)

    def clients(self, rules: Rules | None = None) -> Clients:
        return Clients(self.grid, rules or Rules())


@asynccontextmanager
async def running(*parts: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """These parts, as the server runs them; an exception of one is raised at the end."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.sleep(0)
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], object]) -> None:
    """Waits within the test's own deadline."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
