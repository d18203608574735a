"""The composition as the web sees it, before anything runs. tests/runtime/test_server.py runs all of it."""

import asyncio
from pathlib import Path

from msgspec import structs

from iskra_server.base.address import Address
from iskra_server.config import Config, MeterConfig
from iskra_server.runtime.composition import Composition
from iskra_server.runtime.logs import RecentLines
from iskra_server.runtime.plan import plan_of
from iskra_server.runtime.supervision import Supervision
from iskra_server.web.server_view import ServerView


def test_every_configured_meter_is_in_the_view_of_the_server(tmp_path: Path) -> None:
    urls = ["simulator:MT175", "simulator:MT681"]
    meters = tuple(MeterConfig(url=Address(url)) for url in urls)
    history = structs.replace(Config().history, data_dir=str(tmp_path))
    config = structs.replace(Config(), meters=meters, history=history)

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            view: ServerView = Composition(Supervision(tasks), [], RecentLines(), plan_of(config))
            assert [status.source for status in view.statuses()] == urls
            assert [url for url, _ in view.recent_bytes()] == [url for url, _ in view.reception_days()] == urls
            assert (view.hub.newest, view.store(), view.history_state(), view.output_states()) == ({}, None, None, [])

    asyncio.run(run())


def test_the_meter_of_a_solar_plant_is_never_the_first_one(tmp_path: Path) -> None:
    plant = MeterConfig(url=Address("simulator:MT681"), role="production", production_counter="import")
    house = MeterConfig(url=Address("simulator:MT175"))
    history = structs.replace(Config().history, data_dir=str(tmp_path))
    config = structs.replace(Config(), meters=(plant, house), history=history)

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            view = Composition(Supervision(tasks), [], RecentLines(), plan_of(config))
            facts = [status.facts for status in view.statuses()]
            assert [fact.role for fact in facts] == ["grid", "production"]
            assert (facts[1].source, facts[1].production_counter) == ("simulator:MT681", "import")

    asyncio.run(run())
