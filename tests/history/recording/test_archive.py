import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from iskra_server.base.clock import boottime_s
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.model.replacement import Replacements
from iskra_server.history.recording import archive as archiving
from iskra_server.history.recording.archive import Archive
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from iskra_server.meter.guard import Guard, HeldBack
from iskra_server.meter.reading import Sample
from iskra_server.reading.hub import Hub
from running import DEADLINE_S, until
from samples import IMPORT, METER_ID, energy, sample


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy opens a database late, and a server that ends waits for it three seconds at most."""
    for name in ("OPEN_WITHIN_S", "_OPEN_AT_END_S", "_LAST_SAMPLES_S"):
        monkeypatch.setattr(archiving, name, DEADLINE_S)


@pytest.fixture
def writing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where the database is away: the end would wait for it."""
    monkeypatch.setattr(archiving, "CLOSE_S", DEADLINE_S)


def archive(path: Path) -> Archive:
    return Archive(lambda: Store(f"sqlite:///{path}"), flush_s=60, raw_days=30, simulated=False)


async def recorded(kept: Archive, guard: Guard, *samples: Sample) -> list[Sample | HeldBack]:
    """What the guard says of samples that pass through a server from its start to its end."""
    hub = Hub()
    await kept.open(guard)
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


@pytest.mark.usefixtures("writing_is_slow")
def test_samples_are_in_history_after_the_end(tmp_path: Path) -> None:
    samples = [sample(energy(1000 + k), at_s=60.0 * k) for k in range(20)]
    asyncio.run(recorded(archive(tmp_path / "x.sqlite"), Guard(), *samples))
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert [each.value.raw for each in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**40)] == [1000, 1015]
    assert sum(block.count for block in store.points_between(METER_ID, 0, 2**40)) == 20


def test_a_possible_replacement_is_reported_until_it_is_answered(tmp_path: Path) -> None:
    now_s = int(time.time())
    old = MeterInfo("old", "0a", simulated=False, first_s=now_s - 9000, last_s=now_s - 99, port="tcp://x:1")
    new = MeterInfo("new", "0b", simulated=False, first_s=now_s - 9, last_s=now_s, port="tcp://x:1")
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    store.write([], [old, new])
    kept = archive(tmp_path / "x.sqlite")

    async def looked() -> str | None:
        await kept.open(Guard())
        watching = asyncio.create_task(kept.watch_replacements(), name="watching")
        await asyncio.to_thread(until, lambda: kept.replacements != Replacements())
        watching.cancel()
        return kept.replacements.possible_predecessor("new", "tcp://x:1", None)

    assert asyncio.run(looked()) == "old"
    store.replace_meter("old", "new")
    kept = archive(tmp_path / "x.sqlite")
    assert asyncio.run(looked()) is None
    assert kept.replacements.possible_predecessor("new", "tcp://x:1", "old") is None


@pytest.mark.usefixtures("writing_is_slow")
def test_samples_of_the_last_moment_are_in_history_too(tmp_path: Path) -> None:
    async def run() -> None:
        hub, kept = Hub(), archive(tmp_path / "x.sqlite")
        await kept.open(Guard())
        recording = asyncio.create_task(kept.record(hub))
        await asyncio.sleep(0)
        for k in range(100):
            hub.publish(sample(energy(1000 + k), at_s=60.0 * k))
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)

    asyncio.run(run())
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert sum(block.count for block in store.points_between(METER_ID, 0, 2**40)) == 100


@pytest.mark.usefixtures("writing_is_slow")
def test_a_counter_does_not_go_back_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    asyncio.run(recorded(archive(path), Guard(), *(sample(energy(1000 + k), at_s=60.0 * k) for k in range(20))))
    back, on = asyncio.run(recorded(archive(path), Guard(), sample(energy(1018)), sample(energy(1019))))
    assert isinstance(back, HeldBack)
    assert isinstance(on, Sample)


@pytest.mark.usefixtures("writing_is_slow")
def test_a_counter_does_not_jump_over_a_restart(tmp_path: Path) -> None:
    """Such as by a transformer factor that was added while the server was off."""

    def now(raw: int) -> Sample:
        return replace(sample(energy(raw, 0)), received_at=datetime.now(UTC), monotonic_s=boottime_s())

    path = tmp_path / "x.sqlite"
    asyncio.run(recorded(archive(path), Guard(), now(5_000_000)))
    jump, on = asyncio.run(recorded(archive(path), Guard(), now(40 * 5_000_000), now(5_000_001)))
    assert isinstance(jump, HeldBack) and "jumped" in jump.reason
    assert isinstance(on, Sample)


@pytest.mark.usefixtures("writing_is_slow")
def test_a_database_that_opens_late_still_informs_the_guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(recorded(archive(tmp_path / "x.sqlite"), Guard(), sample(energy(5000), at_s=0.0)))
    monkeypatch.setattr(archiving, "OPEN_WITHIN_S", 0.1)
    may_open = threading.Event()

    def opens_late() -> Store:
        may_open.wait(60)
        return Store(f"sqlite:///{tmp_path / 'x.sqlite'}")

    async def run() -> None:
        guard, hub = Guard(), Hub()
        kept = Archive(opens_late, flush_s=60, raw_days=30, simulated=False)
        await kept.open(guard)
        recording = asyncio.create_task(kept.record(hub))
        await asyncio.sleep(0)
        assert isinstance(guard.admit(sample(energy(4000), at_s=60.0)), Sample)
        may_open.set()
        await asyncio.to_thread(until, lambda: kept.store)
        hub.publish(sample(energy(4000), at_s=61.0))
        await asyncio.to_thread(until, lambda: isinstance(guard.admit(sample(energy(4000), at_s=62.0)), HeldBack))
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)

    asyncio.run(run())


def away() -> Store:
    raise StoreError("The database is away.")


def following(path: Path, *places: Path, open_store: Callable[[], Store] | None = None) -> Archive:
    opens = open_store or (lambda: Store(f"sqlite:///{path}"))
    return Archive(opens, flush_s=60, raw_days=30, simulated=False, places=places)


def quarters(path: Path) -> list[int]:
    with closing(Store(f"sqlite:///{path}")) as store:
        return [each.value.raw for each in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)]


FIRST, SECOND = ([sample(energy(1000 + k), at_s=60.0 * k) for k in range(*span)] for span in ((0, 20), (20, 40)))


async def reloaded(before: Archive, after: Archive, first: list[Sample], second: list[Sample]) -> None:
    """One archive follows another while samples come, as at a reload."""
    guard, hub = Guard(), Hub()
    await before.open(guard)
    tasks = [asyncio.create_task(before.record(hub))]
    await asyncio.sleep(0)
    for each in first:
        hub.publish(each)
        await asyncio.sleep(0.005)
    after.take_over(before, guard, hub)
    tasks[0].cancel()
    tasks.append(asyncio.create_task(after.record(hub)))
    for each in second:
        hub.publish(each)
        await asyncio.sleep(0.005)
    await asyncio.to_thread(until, lambda: after.store)
    hub.publish(sample(energy(1040), at_s=2400.0))
    await asyncio.sleep(0.1)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("has_a_disk", [True, False])
def test_a_reload_writes_what_waited_for_a_wrong_database(tmp_path: Path, has_a_disk: bool) -> None:
    (tmp_path / "file").touch()
    places = [tmp_path / "file" / "wrong", *([tmp_path / "state"] if has_a_disk else [])]
    before = following(tmp_path, *places, open_store=away)
    path = tmp_path / "right.sqlite"
    asyncio.run(reloaded(before, following(path, tmp_path / "right", tmp_path / "state"), FIRST, SECOND))
    assert quarters(path) == [1000, 1015, 1030]


@pytest.mark.usefixtures("writing_is_slow")
def test_a_reload_to_another_database_has_each_telegram_once(tmp_path: Path) -> None:
    one, other = tmp_path / "one.sqlite", tmp_path / "other.sqlite"
    asyncio.run(reloaded(following(one), following(other), FIRST, SECOND))
    assert quarters(one) + quarters(other) == [1000, 1015, 1030]
    telegrams = 0
    for path in (one, other):
        with closing(Store(f"sqlite:///{path}")) as store:
            telegrams += sum(block.count for block in store.points_between(METER_ID, 0, 2**40))
    assert telegrams == 41


def test_the_next_start_writes_what_waited_also_in_another_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    asyncio.run(recorded(following(tmp_path, tmp_path / "wrong", state, open_store=away), Guard(), *FIRST))
    assert f"wait in {tmp_path / 'wrong'}; the next start writes them" in caplog.text
    monkeypatch.setattr(archiving, "CLOSE_S", DEADLINE_S)
    path = tmp_path / "right.sqlite"
    asyncio.run(recorded(following(path, tmp_path / "right", state), Guard(), *SECOND))
    assert quarters(path) == [1000, 1015, 1030]
    asyncio.run(recorded(following(path, tmp_path / "right", state), Guard(), sample(energy(1050), at_s=2500.0)))
    assert quarters(path) == [1000, 1015, 1030]


def test_a_hanging_database_delays_neither_start_nor_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiving, "OPEN_WITHIN_S", 0.1)
    monkeypatch.setattr(archiving, "CLOSE_S", 0.3)
    answers = threading.Event()

    def hangs() -> Store:
        answers.wait(60)
        raise StoreError("Away.")

    began = time.monotonic()
    results = asyncio.run(recorded(following(tmp_path, tmp_path / "spool", open_store=hangs), Guard(), *FIRST))
    assert time.monotonic() - began < 30
    assert all(isinstance(result, Sample) for result in results)
    answers.set()
    for name in ("OPEN_WITHIN_S", "CLOSE_S"):
        monkeypatch.setattr(archiving, name, DEADLINE_S)
    path = tmp_path / "x.sqlite"
    asyncio.run(recorded(following(path, tmp_path / "spool"), Guard(), *SECOND))
    assert quarters(path) == [1000, 1015, 1030]


def test_the_server_starts_without_its_database(tmp_path: Path) -> None:
    def open_store() -> Store:
        raise StoreError("The database is away.")

    kept = Archive(open_store, flush_s=60, raw_days=30, simulated=False)
    (result,) = asyncio.run(recorded(kept, Guard(), sample(energy(1000))))
    assert isinstance(result, Sample)
    assert kept.store is None
    assert kept.state.sentence.startswith("The database is away. History has not been written since ")
    assert "1 telegram, nothing is lost" in kept.state.sentence


@pytest.mark.usefixtures("writing_is_slow")
def test_old_points_are_deleted(tmp_path: Path) -> None:
    async def run() -> None:
        kept = Archive(
            lambda: Store(f"sqlite:///{tmp_path / 'x.sqlite'}"),
            flush_s=60,
            raw_days=30,
            simulated=False,
            thin_every_s=0.01,
        )
        await kept.open(Guard())
        assert kept.store is not None
        thinning = asyncio.create_task(kept.thin())
        store = kept.store
        await asyncio.to_thread(until, lambda: not store.points_between(METER_ID, 0, 2**40))
        thinning.cancel()

    old = [sample(energy(1000 + k), at_s=-3e7 + 60.0 * k) for k in range(3)]
    asyncio.run(recorded(archive(tmp_path / "x.sqlite"), Guard(), *old))
    asyncio.run(run())
