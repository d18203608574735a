"""Readers are made, kept and ended by the meters of a plan; real ones of simulated meters."""

import asyncio

from msgspec import structs

from answering import until
from iskra_server.base.address import Address
from iskra_server.config import Config, MeterConfig
from iskra_server.meter.guard import Guard
from iskra_server.reading.decoding import Decoding
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.runtime.meter_reader import configured_reader
from iskra_server.runtime.plan import Plan, plan_of
from iskra_server.runtime.running_readers import RunningReaders
from iskra_server.runtime.supervision import Supervision
from iskra_server.sources.source import Source
from running import DEADLINE_S

FIRST = MeterConfig(Address("simulator:MT175?rate=10"))
SECOND = MeterConfig(Address("simulator:MT681?seed=2&rate=10"))


def plan(*meters: MeterConfig) -> Plan:
    return plan_of(structs.replace(Config(), meters=meters))


async def heard(hub: Hub, count: int) -> None:
    # each of them computes its household from the beginning of the year first
    await until(lambda: len(hub.newest) >= count, DEADLINE_S)


def test_readers_of_the_same_meters_stay_and_a_meter_that_nobody_reads_is_forgotten() -> None:
    async def main() -> None:
        hub, guard = Hub(), Guard()

        def make(meter: MeterConfig, source: Source, decoding: Decoding) -> Reader:
            return configured_reader(meter, source, decoding)(guard=guard, hub=hub)

        async with asyncio.TaskGroup() as tasks:
            supervision = Supervision(tasks)
            readers = RunningReaders(supervision, hub, make)
            by_meter = readers.by_meter
            await readers.change_to(plan(FIRST, SECOND))
            await heard(hub, 2)
            kept, ended = by_meter[FIRST], by_meter[SECOND]

            await readers.change_to(plan(FIRST))
            assert by_meter == {FIRST: kept}
            assert list(hub.newest) == [kept.meter_id]
            assert not ended.source.state.is_open

            # the same meter under another name: another reader, but it is still shown
            renamed = structs.replace(FIRST, name="cellar")
            await readers.change_to(plan(renamed, SECOND))
            assert list(by_meter) == [renamed, SECOND]
            assert kept not in by_meter.values()
            assert kept.meter_id in hub.newest
            await heard(hub, 2)
            await supervision.end()

    asyncio.run(main())
