import asyncio
import threading
import time
from pathlib import Path

import pytest

from iskra_server.archive import Archive
from iskra_server.history.errors import StoreError
from iskra_server.history.records import MeterInfo
from iskra_server.history.replacement import Replacements
from iskra_server.history.store import Store
from iskra_server.hub import Hub
from iskra_server.meter.guard import Guard, Held
from iskra_server.meter.reading import Sample
from running import until
from samples import IMPORT, METER_ID, energy, sample


def archive(path: Path) -> Archive:
    return Archive(lambda: Store(f"sqlite:///{path}"), flush_s=60, raw_days=30, simulated=False)


async def recorded(kept: Archive, guard: Guard, *samples: Sample) -> list[Sample | Held]:
    """What the guard says of samples that pass through a server from its start to its end."""
    hub = Hub()
    await kept.begin(guard)
    recording = asyncio.create_task(kept.record(hub))
    await asyncio.sleep(0)
    results = [guard.admit(each) for each in samples]
    for result in results:
        if isinstance(result, Sample):
            hub.publish(result)
            await asyncio.sleep(0.01)
    recording.cancel()
    await asyncio.gather(recording, return_exceptions=True)
    return results


def test_what_arrives_is_in_history_after_the_end(tmp_path: Path) -> None:
    samples = [sample(energy(1000 + k), at_s=60.0 * k) for k in range(20)]
    asyncio.run(recorded(archive(tmp_path / "x.sqlite"), Guard(), *samples))
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert [each.value.raw for each in store.boundaries_between(METER_ID, IMPORT, 0, 2**40)] == [1000, 1015]
    assert sum(block.count for block in store.points_between(METER_ID, 0, 2**40)) == 20


def test_a_meter_where_another_was_is_asked_about_until_somebody_has_answered(tmp_path: Path) -> None:
    now_s = int(time.time())
    old = MeterInfo("old", "0a", simulated=False, first_s=now_s - 9000, last_s=now_s - 99, port="tcp://x:1")
    new = MeterInfo("new", "0b", simulated=False, first_s=now_s - 9, last_s=now_s, port="tcp://x:1")
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    store.write([], [old, new])
    kept = archive(tmp_path / "x.sqlite")

    async def looked() -> str | None:
        await kept.begin(Guard())
        watching = asyncio.create_task(kept.watch_replacements(), name="watching")
        await asyncio.to_thread(until, lambda: kept.replacements != Replacements())
        watching.cancel()
        return kept.replacements.asked("new", "tcp://x:1", None)

    assert asyncio.run(looked()) == "old"
    store.replace_meter("old", "new")
    kept = archive(tmp_path / "x.sqlite")
    assert asyncio.run(looked()) is None
    assert kept.replacements.asked("new", "tcp://x:1", "old") is None


def test_what_arrived_at_the_last_moment_is_in_history_too(tmp_path: Path) -> None:
    async def run() -> None:
        hub, kept = Hub(), archive(tmp_path / "x.sqlite")
        await kept.begin(Guard())
        recording = asyncio.create_task(kept.record(hub))
        await asyncio.sleep(0)
        for k in range(100):
            hub.publish(sample(energy(1000 + k), at_s=60.0 * k))
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)

    asyncio.run(run())
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert sum(block.count for block in store.points_between(METER_ID, 0, 2**40)) == 100


def test_a_counter_does_not_go_back_behind_what_was_published_before_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    asyncio.run(recorded(archive(path), Guard(), *(sample(energy(1000 + k), at_s=60.0 * k) for k in range(20))))
    back, on = asyncio.run(recorded(archive(path), Guard(), sample(energy(1018)), sample(energy(1019))))
    assert isinstance(back, Held)
    assert isinstance(on, Sample)


def test_a_database_that_opens_late_still_holds_a_counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(recorded(archive(tmp_path / "x.sqlite"), Guard(), sample(energy(5000), at_s=0.0)))
    monkeypatch.setattr("iskra_server.archive.OPEN_WITHIN_S", 0.1)
    may_open = threading.Event()

    def opens_late() -> Store:
        may_open.wait(20)
        return Store(f"sqlite:///{tmp_path / 'x.sqlite'}")

    async def run() -> None:
        guard, hub = Guard(), Hub()
        kept = Archive(opens_late, flush_s=60, raw_days=30, simulated=False)
        await kept.begin(guard)
        recording = asyncio.create_task(kept.record(hub))
        await asyncio.sleep(0)
        assert isinstance(guard.admit(sample(energy(4000), at_s=60.0)), Sample)
        may_open.set()
        await asyncio.to_thread(until, lambda: kept.store)
        hub.publish(sample(energy(4000), at_s=61.0))
        await asyncio.to_thread(until, lambda: isinstance(guard.admit(sample(energy(4000), at_s=62.0)), Held))
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)

    asyncio.run(run())


def test_the_server_starts_without_its_database(tmp_path: Path) -> None:
    def open_store() -> Store:
        raise StoreError("The database is away.")

    kept = Archive(open_store, flush_s=60, raw_days=30, simulated=False)
    (result,) = asyncio.run(recorded(kept, Guard(), sample(energy(1000))))
    assert isinstance(result, Sample)
    assert kept.store is None
    assert kept.state.sentence.startswith("The database is away. History has not been written since ")
    assert "1 telegram, nothing is lost" in kept.state.sentence


def test_old_points_are_thinned(tmp_path: Path) -> None:
    async def run() -> None:
        kept = Archive(
            lambda: Store(f"sqlite:///{tmp_path / 'x.sqlite'}"),
            flush_s=60,
            raw_days=30,
            simulated=False,
            thin_every_s=0.01,
        )
        await kept.begin(Guard())
        assert kept.store is not None
        thinning = asyncio.create_task(kept.thin())
        store = kept.store
        await asyncio.to_thread(until, lambda: not store.points_between(METER_ID, 0, 2**40))
        thinning.cancel()

    old = [sample(energy(1000 + k), at_s=-3e7 + 60.0 * k) for k in range(3)]
    asyncio.run(recorded(archive(tmp_path / "x.sqlite"), Guard(), *old))
    asyncio.run(run())
