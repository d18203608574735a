import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.lock import is_locked
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, Reading
from iskra_server.simulator import simulated_source
from iskra_server.simulator.household import Household
from iskra_server.simulator.profiles import PROFILES, decoder
from iskra_server.simulator.simulated_source import CHUNK, SimulatedSource, from_url, telegrams
from iskra_server.sources.source import Chunk, LineSettings, Source, SourceState

START = datetime(2026, 6, 21, 10, tzinfo=UTC)
TOTAL = Obis.parse("1.8.0")
POWER = Obis.parse("16.7.0")


def readings(data: bytes) -> list[Reading]:
    found = list(SmlDecoder().feed(data))
    assert all(isinstance(reading, Reading) for reading in found)
    return [reading for reading in found if isinstance(reading, Reading)]


async def taken(meter: SimulatedSource, telegrams: int) -> list[tuple[Reading, Chunk]]:
    """The first readings, each with the chunk that completed it."""
    decoder, found = SmlDecoder(), []
    async with asyncio.timeout(60), aclosing(meter.chunks()) as chunks:
        async for chunk in chunks:
            assert 0 < len(chunk.data) <= CHUNK
            found += [(reading, chunk) for reading in decoder.feed(chunk.data) if isinstance(reading, Reading)]
            if len(found) == telegrams:
                break
    return found


async def state_of(meter: SimulatedSource, is_wanted: Callable[[SourceState], bool]) -> SourceState:
    while not is_wanted(meter.state):  # noqa: ASYNC110 - a source tells nobody when its state changes
        await asyncio.sleep(0)
    return meter.state


def sec_index(reading: Reading) -> int:
    assert reading.meter_time
    return reading.meter_time.seconds


def test_it_is_a_source_that_says_that_it_is_simulated() -> None:
    meter: Source = SimulatedSource()
    assert (meter.url, meter.simulated, meter.state) == ("simulator:MT175", True, SourceState("simulator:MT175", False))


def test_the_first_telegram_comes_at_once() -> None:
    begun = time.monotonic()
    # the second one follows 200 s later
    ((reading, chunk),) = asyncio.run(taken(SimulatedSource(start=START, rate=0.01), 1))
    assert chunk.monotonic_s - begun < 100
    assert reading.meter_id == "1 ISK 00 10000001"


def test_the_rate_sets_the_pace_and_the_household_goes_with_it() -> None:
    found = asyncio.run(taken(SimulatedSource(start=START, rate=20), 11))
    took_s = found[-1][1].monotonic_s - found[0][1].monotonic_s
    passed_s = sec_index(found[-1][0]) - sec_index(found[0][0])
    # a busy machine makes it longer, never shorter; then the meter goes on without sending
    assert passed_s >= 10 and took_s >= passed_s / 20 - 0.05


def test_real_pace_is_that_of_the_meter() -> None:
    found = asyncio.run(taken(SimulatedSource(start=START), 2))
    assert found[1][1].monotonic_s - found[0][1].monotonic_s >= 0.95


def test_without_a_pace_others_still_get_their_turn() -> None:
    async def scenario() -> int:
        turns = 0
        meter = SimulatedSource(rate=0, start=START)
        task = asyncio.create_task(taken(meter, 500))
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        assert len(await task) == 500
        return turns

    assert asyncio.run(scenario()) > 100


@pytest.mark.parametrize(("rate", "away_s"), [(1.0, 3 * 3600), (1.0, 7.5), (60.0, 3600)])
def test_the_meter_goes_on_while_the_computer_is_suspended(
    rate: float, away_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stalls of a busy machine are the same, and add up: the meter's clock must not fall behind."""
    begun_s = now_s = 1000.0
    sleeps = 0

    async def sleep(seconds: float) -> None:
        nonlocal now_s, sleeps
        sleeps += 1
        now_s += seconds + (away_s if sleeps == 3 else 0)

    async def scenario() -> tuple[list[int], int]:
        meter, seconds = SimulatedSource(start=START, rate=rate), []
        await meter.prepare()
        monkeypatch.setattr(asyncio, "sleep", sleep)
        async with aclosing(meter.intervals()) as intervals:
            async for data in intervals:
                seconds.append(sec_index(readings(data or b"")[0]))
                if len(seconds) == 8:
                    break
        return seconds, meter.now().state.second - int(START.timestamp())

    monkeypatch.setattr(simulated_source, "boottime_s", lambda: now_s)
    seconds, asked = asyncio.run(scenario())
    steps = [after - before for before, after in pairwise(seconds)]
    assert steps == [1, pytest.approx(away_s * rate + 1, abs=1), 1, 1, 1, 1, 1]
    # at the pace of the clock again, less than a telegram behind
    assert -0.001 <= (now_s - begun_s) * rate - sum(steps) < 1
    assert abs(asked - sum(steps)) <= 1


def test_a_meter_that_shows_now_is_not_behind_by_the_time_that_its_household_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A small computer computes the years since its first day for seconds."""
    now_s = 1000.0

    async def next_second(meter: SimulatedSource) -> int:
        async with aclosing(meter.intervals()) as intervals:
            async for data in intervals:
                return sec_index(readings(data or b"")[0])
        raise AssertionError("a meter sends for ever")

    async def scenario() -> tuple[int, int, int]:
        nonlocal now_s
        meter = SimulatedSource()
        first = sec_index(readings(next(telegrams(start=datetime.fromtimestamp(meter.now().state.second, UTC))))[0])
        now_s += 7
        prepared = await next_second(meter)
        # a reader that is started again
        now_s += 600
        return first, prepared, await next_second(meter)

    monkeypatch.setattr(simulated_source, "boottime_s", lambda: now_s)
    first, prepared, again = asyncio.run(scenario())
    assert (prepared - first, again - first) == (7, 607)


def test_a_second_iteration_goes_on_where_the_first_one_stopped() -> None:
    meter = SimulatedSource(rate=0, start=START)
    first, second = asyncio.run(taken(meter, 3)), asyncio.run(taken(meter, 3))
    assert sec_index(second[0][0]) > sec_index(first[-1][0])


def test_the_state_follows_plug_and_unplug() -> None:
    async def scenario() -> tuple[SourceState, SourceState, SourceState]:
        meter = SimulatedSource(rate=200, start=START, faults="unplug=0.2")
        task = asyncio.create_task(taken(meter, 1_000_000))
        async with asyncio.timeout(60):
            lost = await state_of(meter, lambda state: state.problem == "simulated_unplugged")
            back = await state_of(meter, lambda state: state.is_open)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return lost, back, meter.state

    lost, back, closed = asyncio.run(scenario())
    assert not lost.is_open
    assert back == SourceState("simulator:MT175", is_open=True, line=LineSettings(), protocol="sml")
    assert closed == SourceState("simulator:MT175", is_open=False)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_streams_readings_whose_time_goes_on(name: str) -> None:
    model = PROFILES[name]
    results = list(decoder(model).feed(b"".join(islice(telegrams(name, start=START), 60))))
    found = [result for result in results if isinstance(result, Reading) and not result.channel]
    assert len(found) >= 60 and not [result for result in results if isinstance(result, Fault)]
    times = [reading.meter_time.seconds for reading in found if reading.meter_time]
    assert {after - before for before, after in pairwise(times)} <= {0, model.interval_s}


def test_what_is_sent_is_what_the_household_did() -> None:
    second = int(START.timestamp()) + 900
    state = Household(5, PROFILES["MT175"].pv_peak_w, second).at(second)
    reading = readings(next(telegrams("MT175", seed=5, start=START + timedelta(seconds=900))))[0]
    total, power = reading.get(TOTAL), reading.get(POWER)
    assert total and total.raw == state.import_mws // 360_000
    assert power and power.raw == (state.power_mw + 500) // 1000


def test_a_polled_meter_shows_the_line_and_the_outcome_of_its_polls() -> None:
    async def scenario() -> SourceState:
        meter = SimulatedSource("MT174", start=datetime(2026, 1, 5, tzinfo=UTC))
        async with asyncio.timeout(60), aclosing(meter.chunks()) as chunks:
            await anext(chunks)
            return meter.state

    state = asyncio.run(scenario())
    assert (state.line, state.protocol, state.poll) == (LineSettings(9600, "7E1"), "d0", "read")


def test_telegrams_can_be_a_quarter_of_an_hour_apart() -> None:
    found = readings(b"".join(islice(telegrams(start=START, interval_s=900), 5)))
    assert [sec_index(reading) - sec_index(found[0]) for reading in found] == [0, 900, 1800, 2700, 3600]


def test_a_url_says_everything() -> None:
    url = "simulator:MT631-two-way?seed=7&rate=0&faults=noise=0,cut=0&start=2026-06-21T10:00:00Z"
    meter = from_url(url)
    assert meter.url == url
    assert asyncio.run(taken(meter, 1))[0][0] == readings(next(telegrams("MT631-two-way", seed=7, start=START)))[0]


def test_the_meter_at_the_roof_has_another_number_and_counts_export_alone() -> None:
    ((house, _),) = asyncio.run(taken(from_url("simulator:MT175?start=2026-06-21T10:00:00Z"), 1))
    ((roof, _),) = asyncio.run(taken(from_url("simulator:MT175?measures=production&start=2026-06-21T10:00:00Z"), 1))
    assert (house.meter_id, roof.meter_id) == ("1 ISK 00 10000001", "1 ISK 00 20000001")
    power = roof.get(POWER)
    assert power is not None and power.value is not None and power.value < -300


def test_a_bare_url_is_the_default_profile_now() -> None:
    for url in ("simulator:", "simulator:mt175", "simulator://MT175"):
        ((reading, _),) = asyncio.run(taken(from_url(url), 1))
        assert reading.byte_count == 456
    assert from_url("simulator:MT175?start=2026-06-21").url.endswith("21")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("simulator:MT999", "no simulator profile is called 'MT999'; choose one of MT175-locked, "),
        ("simulator:MT175?speed=3", "no option 'speed'; choose from seed, rate, faults, start"),
        ("simulator:MT175?seed=one", "seed is 'one'; give a number, such as seed=1"),
        ("simulator:MT175?rate=fast", "rate is 'fast'; give a number, such as rate=1"),
        ("simulator:MT175?rate=-1", "rate is -1.0; give 1 for real pace"),
        ("simulator:MT175?rate=inf", "rate is inf; give 1 for real pace"),
        ("simulator:MT175?faults=rain=1", "no fault 'rain'"),
        ("simulator:MT175?start=noon", "start is 'noon'; give a time such as 2026-06-21T10:00:00Z"),
        ("simulator:MT175?start=2019-06-21", "installed on 2020-01-01; choose a later start"),
        ("simulator:MT175?measures=heat", "measures is 'heat'; give grid or production"),
        ("simulator:MT681-2012?measures=production", "has no solar roof; choose another profile, such as MT175"),
    ],
)
def test_a_wrong_url_is_told_by_name_and_with_the_fix(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        from_url(url)


@pytest.mark.parametrize("locked", ["MT175-locked", "MT631-locked"])
def test_a_locked_meter_is_unlocked_and_falls_back_without_a_seam(locked: str) -> None:
    sent = islice(telegrams(locked, start=START, unlocked_from=3, unlocked_to=6), 9)
    read = [reading for data in sent for reading in readings(data)]
    assert [is_locked(reading) for reading in read] == [True] * 3 + [False] * 3 + [True] * 3
    totals = [total.value for reading in read if (total := reading.get(TOTAL))]
    assert len({int(total) // 1000 for total in totals if total is not None}) == 1
    assert len({reading.meter_id for reading in read}) == 1


def test_what_is_not_locked_cannot_be_unlocked() -> None:
    with pytest.raises(ValueError, match="the profile MT681 is not locked"):
        from_url("simulator:MT681?unlock=10")
