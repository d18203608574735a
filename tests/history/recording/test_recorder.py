import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from iskra_server.base.clock import Clock
from iskra_server.history.model.ledger import Ledger, LedgerRecord
from iskra_server.history.model.records import Exact, LastCounter, quarter_of
from iskra_server.history.points.points import unpack
from iskra_server.history.recording.recorder import Recorder
from iskra_server.history.recording.resume import as_samples
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Sample
from running import DEADLINE_S, until
from samples import IMPORT, METER_ID, SERVER_ID, START, energy, power, sample

QUARTER = quarter_of(START.timestamp())


def day(count: int, step_s: int = 60, first: int = 1000) -> list[Sample]:
    """Samples from START on, a Wh more in each."""
    return [sample(energy(first + 10 * k), power(60), at_s=float(k * step_s)) for k in range(count)]


async def given(samples: Iterable[Sample]) -> AsyncGenerator[Sample, None]:
    for each in samples:
        yield each


async def recorded(recorder: Recorder, samples: Iterable[Sample]) -> None:
    await recorder.run(given(samples))
    # on a busy machine history may say late where it stopped
    await recorder.record_waiting()


def record(path: Path, samples: Iterable[Sample], *, keep_points: bool = True, simulated: bool = False) -> Store:
    """Everything recorded and written, as at a shutdown."""
    writer = Writer(lambda: Store(f"sqlite:///{path}"))
    writer.start()
    until(lambda: writer.caught_up)
    recorder = Recorder(writer=writer, flush_s=600, keep_points=keep_points, simulated=simulated)
    asyncio.run(recorded(recorder, samples))
    recorder.close()
    assert writer.close(DEADLINE_S).ok
    return Store(f"sqlite:///{path}")


def test_quarter_readings_power_and_points_are_written(tmp_path: Path) -> None:
    store = record(tmp_path / "x.sqlite", day(40))
    found = store.quarter_readings(METER_ID, IMPORT, range(QUARTER, QUARTER + 4))
    assert {quarter - QUARTER: known.value.raw for quarter, known in found.items()} == {0: 1000, 1: 1150, 2: 1300}
    assert [each.count for each in store.power_between(METER_ID, QUARTER, QUARTER + 9)] == [15, 15, 10]
    blocks = store.points_between(METER_ID, 0, 2**40)
    assert [block.count for block in blocks] == [10, 10, 10, 10]
    assert [point.registers[0].raw for block in blocks for point in unpack(block.data)] == [
        1000 + 10 * k for k in range(40)
    ]
    assert [(block.min_mw, block.mean_mw, block.max_mw) for block in blocks] == [(60_000,) * 3] * 4
    (meter,) = store.meters()
    assert (meter.meter_id, meter.server_id, meter.simulated) == (METER_ID, SERVER_ID.hex(), False)
    assert (meter.first_s, meter.last_s) == (int(START.timestamp()), int(START.timestamp()) + 39 * 60)


def test_a_gap_of_more_than_a_minute_ends_a_block(tmp_path: Path) -> None:
    moments = [0, 60, 120, 181, 182, 300]
    store = record(tmp_path / "x.sqlite", [sample(power(60), at_s=float(at_s)) for at_s in moments])
    begin = int(START.timestamp())
    blocks = store.points_between(METER_ID, 0, 2**40)
    assert [(block.first_s - begin, block.last_s - begin) for block in blocks] == [(0, 120), (181, 182), (300, 300)]


def test_without_points_the_last_one_is_still_stored(tmp_path: Path) -> None:
    store = record(tmp_path / "x.sqlite", day(40), keep_points=False)
    (last,) = store.points_between(METER_ID, 0, 2**40)
    assert last.count == 1
    assert len(store.quarter_readings(METER_ID, IMPORT, range(QUARTER, QUARTER + 4))) == 3


def test_a_restart_continues_where_history_stopped(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    record(path, day(16)).close()
    later = [replace(each, received_at=each.received_at + timedelta(minutes=20)) for each in day(20, first=1200)]
    store = record(path, later)
    found = store.quarter_readings(METER_ID, IMPORT, range(QUARTER, QUARTER + 3))
    assert [(known.value.raw, known.quality) for known in found.values()] == [
        (1000, "measured"),
        (1150, "measured"),
        (1300, "measured"),
    ]


def test_a_restart_across_a_quarter_is_interpolated(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    for keep_points in (True, False):
        record(path, day(14), keep_points=keep_points).close()
        later = [replace(each, received_at=each.received_at + timedelta(minutes=17)) for each in day(3, first=1170)]
        store = record(path, later)
        found = store.quarter_readings(METER_ID, IMPORT, [QUARTER + 1])[QUARTER + 1]
        assert (found.value.raw, found.quality) == (1150, "interpolated")
        store.close()
        path = tmp_path / "other.sqlite"


def test_simulated_and_real_samples_are_not_recorded_together(tmp_path: Path) -> None:
    mixed = [each for pair in zip(day(40), day(40, first=9000), strict=True) for each in pair]
    mixed = [replace(each, simulated=bool(k % 2)) for k, each in enumerate(mixed)]
    store = record(tmp_path / "x.sqlite", mixed, simulated=True)
    assert [known.value.raw for known in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**40)] == [
        9000,
        9150,
        9300,
    ]
    assert store.meters()[0].simulated


def test_gas_and_heat_are_not_recorded(tmp_path: Path) -> None:
    samples = day(40)
    gas = [replace(each, reading=replace(each.reading, meter_id="gas", channel=1)) for each in samples]
    mixed = [each for pair in zip(samples, gas, strict=True) for each in pair]
    assert [info.meter_id for info in record(tmp_path / "x.sqlite", mixed).meters()] == [METER_ID]


def test_samples_before_the_database_opens_are_in_the_ledger_too(tmp_path: Path) -> None:
    can_open = False

    def open_store() -> Store:
        if not can_open:
            raise StoreError("The database is away.")
        return Store(f"sqlite:///{tmp_path / 'x.sqlite'}")

    async def run() -> None:
        nonlocal can_open
        await recorder.run(given(day(40)[:-1]))
        can_open = True
        await asyncio.to_thread(until, lambda: writer.caught_up)
        await recorder.run(given(day(40)[-1:]))

    writer = Writer(open_store, first_retry_s=0.05)
    recorder = Recorder(writer=writer, flush_s=600, keep_points=True, simulated=False)
    writer.start()
    asyncio.run(run())
    recorder.close()
    assert writer.close(DEADLINE_S).ok
    known = Store(f"sqlite:///{tmp_path / 'x.sqlite'}").quarter_readings_between(METER_ID, IMPORT, 0, 2**40)
    assert [each.value.raw for each in known] == [1000, 1150, 1300]


@pytest.mark.parametrize(("simulated", "waiting"), [(False, 3), (True, 0)])
def test_only_a_real_meter_shows_that_the_clock_stood_still(tmp_path: Path, simulated: bool, waiting: int) -> None:
    """A simulated meter's clock is that of this computer: it falls behind while it is suspended, or at a low rate."""

    def run(samples: list[Sample]) -> int:
        writer = Writer(lambda: Store(f"sqlite:///{tmp_path / 'x.sqlite'}"))
        writer.start()
        until(lambda: writer.caught_up)
        clock = Clock(synchronised=lambda: None, has_own=True)
        recorder = Recorder(writer=writer, flush_s=600, keep_points=True, simulated=simulated, clock=clock)
        asyncio.run(recorded(recorder, samples))
        left = recorder.waiting_count
        recorder.close()
        assert writer.close(DEADLINE_S).ok
        return left

    def samples(first_s: int, ahead_s: int) -> list[Sample]:
        times = range(first_s, first_s + 90, 30)
        plain = (sample(energy(1000 + at_s), at_s=at_s, seconds=10_000 + at_s + ahead_s) for at_s in times)
        return [replace(each, simulated=simulated) for each in plain]

    assert run(samples(0, 0)) == 0
    # a minute and a half later, but five minutes by the meter's clock
    assert run(samples(180, 210)) == waiting


def late(path: Path) -> tuple[Recorder, Writer, Callable[[], None]]:
    """A recorder whose database opens when it is told to, and how to tell it."""
    may_open = Event()

    def open_store() -> Store:
        if not may_open.is_set():
            raise StoreError("The database is away.")
        return Store(f"sqlite:///{path}")

    writer = Writer(open_store, first_retry_s=0.05)
    writer.start()
    return Recorder(writer=writer, flush_s=600, keep_points=True, simulated=False), writer, may_open.set


def test_a_waiting_sample_that_cannot_be_recorded_blocks_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = day(40)
    recorder, writer, open_database = late(tmp_path / "x.sqlite")
    observe = Ledger.observe

    def refuse_one(ledger: Ledger, each: Sample, *, with_power: bool = True) -> list[LedgerRecord]:
        if each is samples[14]:
            raise ValueError("of no use")
        return observe(ledger, each, with_power=with_power)

    monkeypatch.setattr(Ledger, "observe", refuse_one)

    async def run() -> None:
        await recorder.run(given(samples[:-1]))
        open_database()
        await asyncio.to_thread(until, lambda: writer.caught_up)
        await recorded(recorder, samples[-1:])

    asyncio.run(run())
    assert recorder.waiting_count == 0
    recorder.close()
    assert writer.close(DEADLINE_S).ok
    known = Store(f"sqlite:///{tmp_path / 'x.sqlite'}").quarter_readings_between(METER_ID, IMPORT, 0, 2**40)
    assert [each.value.raw for each in known] == [1000, 1150, 1300]


def test_the_event_loop_runs_while_waiting_samples_are_recorded(tmp_path: Path) -> None:
    # half an hour apart: each of them waits
    samples = day(400, step_s=1800)
    recorder, writer, open_database = late(tmp_path / "x.sqlite")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += recorder.waiting_count == 0

    async def run() -> None:
        await recorder.run(given(samples[:-1]))
        assert recorder.waiting_count == 399
        open_database()
        await asyncio.to_thread(until, lambda: writer.caught_up)
        counting = asyncio.create_task(count())
        await recorded(recorder, samples[-1:])
        counting.cancel()

    asyncio.run(run())
    assert turns >= 399 // 64
    recorder.close()
    assert writer.close(DEADLINE_S).ok


def test_samples_that_are_not_recorded_at_the_end_wait_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = day(400, step_s=1800)
    recorder, writer, open_database = late(tmp_path / "x.sqlite")
    observe, taken = Ledger.observe, []

    async def run() -> None:
        await recorder.run(given(samples))
        open_database()
        await asyncio.to_thread(until, lambda: writer.caught_up)
        recording = asyncio.create_task(recorder.record_waiting())

        def end_at_a_hundred(ledger: Ledger, each: Sample, *, with_power: bool = True) -> list[LedgerRecord]:
            taken.append(each)
            if len(taken) == 100:
                recording.cancel()
            return observe(ledger, each, with_power=with_power)

        monkeypatch.setattr(Ledger, "observe", end_at_a_hundred)
        await asyncio.gather(recording, return_exceptions=True)

    asyncio.run(run())
    assert 100 <= len(taken) < 200
    assert recorder.waiting() == samples[len(taken) :]
    recorder.close()
    assert writer.close(DEADLINE_S).ok


def test_waiting_samples_are_not_spooled_while_the_writer_removes_samples(tmp_path: Path) -> None:
    """It would come after what is recorded meanwhile, and look like a counter that went back."""
    recorder, writer, _ = late(tmp_path / "x.sqlite")
    asyncio.run(recorder.run(given(day(3))))
    recorder.spool_waiting()
    assert (recorder.waiting_count, len(writer.pop_samples())) == (0, 2)
    writer.confirm_samples()
    asyncio.run(recorder.run(given(day(3))))
    assert not writer.has_samples
    recorder.spool_waiting()
    assert recorder.waiting_count == 2
    writer.close()


def test_the_guard_gets_one_sample_per_meter_with_its_last_values() -> None:
    export = Obis.parse("2.8.0")
    counters = [
        LastCounter(name, obis, Exact(raw, -1), at_s, epoch)
        for name, obis, raw, at_s, epoch in (
            ("one", IMPORT, 5, 100, 0),
            ("other", IMPORT, 6, 200, 1),
            ("one", export, 7, 300, 2),
        )
    ]
    one, other = as_samples(counters)
    assert (one.reading.meter_id, one.epoch, one.received_at.timestamp()) == ("one", 2, 100)
    assert [(register.obis, register.raw) for register in one.reading.registers] == [(IMPORT, 5), (export, 7)]
    assert (other.reading.meter_id, other.epoch) == ("other", 1)


def test_an_error_that_keeps_history_from_resuming_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is written until it is known where it stopped: no failure of writing would tell. The log says it once."""
    caplog.set_level("INFO", "iskra_server.history")
    monkeypatch.setattr("iskra_server.history.recording.recorder._RESUME_AGAIN_S", 0.0)
    writer = Writer(lambda: Store(f"sqlite:///{tmp_path / 'x.sqlite'}"))
    writer.start()
    until(lambda: writer.caught_up)
    recorder = Recorder(writer=writer, flush_s=600, keep_points=True, simulated=False)

    async def run() -> None:
        with monkeypatch.context() as locked:
            locked.setattr(Store, "last_counters", locked_out)
            await recorded(recorder, day(2))
            assert writer.state.sentence.startswith("PostgreSQL is locked. History has not been written since ")
        await recorder.record_waiting()

    asyncio.run(run())
    assert writer.state.sentence == ""
    assert [record.getMessage() for record in caplog.records] == [
        "PostgreSQL is locked. Nothing is recorded until history can be read; readings wait.",
        "History can be read again.",
    ]
    recorder.close()
    writer.close()


def locked_out(*_: object) -> None:
    raise StoreError("PostgreSQL is locked.")
