"""Looking after a central server: the sentences in its log, over a real database that is closed and opened again."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from fleet.batches import batch_of
from history.entries import METER, quarter_reading
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.store.store import Store
from iskra_server.runtime.running_central import RunningCentral
from iskra_server.runtime.supervision import Supervision
from samples import METER_ID
from web.serving import until


def heard(store: Store, at_s: float) -> None:
    now_s = int(at_s)
    states = [ReaderState("house-7", now_s, True, "", "[]")]
    write_batch(store, batch_of([quarter_reading()], [METER], [LastContact(METER_ID, "house-7", now_s)], states))


def faults(central: RunningCentral) -> list[str]:
    return [problem.fault for problem in central.state.problems] if central.state else []


def test_a_fault_is_logged_when_it_begins_and_when_it_is_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="iskra_server.runtime.running_central")
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    opened: list[Store] = []

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            supervision = Supervision(tasks)
            central = RunningCentral(supervision, lambda: opened[0] if opened else None, lambda: "It is opening.", 0.01)
            await central.change_to(is_central=False)
            assert central.state is None
            await central.change_to(is_central=True)
            assert central.state
            assert faults(central) == ["central_unread"]
            await until(lambda: faults(central) == ["central_database"])
            assert central.state.problems[0].en.next_step == "It is opening."
            opened.append(store)
            await until(lambda: bool(central.state and central.state.facts))
            assert faults(central) == ["central_empty"]
            heard(store, time.time())
            await until(lambda: bool(central.state and central.state.ok))
            await until(lambda: "This is over: No reader has reported yet." in caplog.text)
            await central.change_to(is_central=False)
            assert central.state is None

    asyncio.run(run())
    store.close()
    lines = [record.getMessage().split(".")[0] for record in caplog.records]
    assert lines == [
        "The database of this central server cannot be read",
        "No reader has reported yet",
        "This is over: The database of this central server cannot be read",
        "This is over: No reader has reported yet",
    ]
