import asyncio

import pytest
from msgspec import structs

from iskra_server.base.clock import boottime_s
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from iskra_server.reading.hub import Hub
from iskra_server.runtime.running_virtual import RunningVirtual
from iskra_server.runtime.supervision import Supervision
from samples import power, sample
from web.serving import until

FIRST, SECOND = "1 ISK 00 10000001", "1 ISK 00 10000002"


def test_it_starts_with_the_first_virtual_meter_and_forgets_those_that_are_gone() -> None:
    async def run() -> None:
        hub = Hub()
        async with asyncio.TaskGroup() as tasks:
            running = RunningVirtual(Supervision(tasks), hub, {})
            running.change_to((), ())
            assert hub.subscriptions() == ()
            both = VirtualMeter("Both", (MeterPart(FIRST, 1), MeterPart(SECOND, 1)), stale_after_s=60)
            running.change_to((both,), ())
            await asyncio.sleep(0)
            await send(hub, ago_s=20)
            assert hub.newest["Both"].reading.registers[0].value == 30
            assert [state.ok for state in running.states()] == [True]
            # other parts are another meter
            difference = VirtualMeter("Both", (MeterPart(FIRST, 1), MeterPart(SECOND, -1)), stale_after_s=60)
            running.change_to((difference,), ())
            assert "Both" not in hub.newest
            await send(hub)
            assert hub.newest["Both"].reading.registers[0].value == -10
            running.change_to((), ())
            assert "Both" not in hub.newest
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    asyncio.run(run())


async def send(hub: Hub, ago_s: float = 0) -> None:
    """A telegram of each meter, and the virtual one that they complete.

    With the first one long ago, their interval is long: on a busy machine the second ones belong together all the same.
    """
    with hub.subscribe("test") as samples:
        for meter_id, watts in ((FIRST, 10), (SECOND, 20)):
            hub.publish(structs.replace(sample(power(watts), meter_id=meter_id), monotonic_s=boottime_s() - ago_s))
        async with asyncio.timeout(60):
            while (await anext(samples)).reading.meter_id != "Both":
                pass


def test_a_lasting_fault_is_logged_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "iskra_server.runtime.running_virtual")

    async def run() -> None:
        hub = Hub()
        async with asyncio.TaskGroup() as tasks:
            running = RunningVirtual(Supervision(tasks), hub, {})
            running.look_every_s = 0.001
            running.change_to((VirtualMeter("Both", (MeterPart(FIRST, 1), MeterPart(SECOND, 1))),), ())
            await until(lambda: len(caplog.messages) == 1)
            await asyncio.sleep(0.02)
            await send(hub)
            await until(lambda: len(caplog.messages) == 2)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    asyncio.run(run())
    assert caplog.messages == [
        f"Both: No meter {FIRST} is being read. Check plus and minus in [[virtual]]: name, number or server id of a "
        "meter, as in [[meters]] or on its label.",
        "Both: The power of all its meters is current.",
    ]
