"""A week on a Raspberry Pi without a clock of its own, in seconds: power cuts, a clock that goes on where it stopped,
time synchronisation that comes late or never, suspension, a frozen process, a bad answer of a time server, and the
night when summer time ends. Every quarter that history has must be what the meter showed then, and no energy is lost.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history.entries import wait_until
from iskra_server.base.clock import Clock
from iskra_server.history.model.energy import bucket_edges
from iskra_server.history.model.energy import energy_in_buckets as energy_of
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.recording.recorder import Recorder
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store.checkup import find_impossible, list_set_aside
from iskra_server.history.store.store import Store
from iskra_server.meter.reading import Sample
from running import DEADLINE_S
from samples import IMPORT, METER_ID, energy, power, reading

BERLIN = ZoneInfo("Europe/Berlin")
# summer time ends in the night to Sunday, the 25th
BEGIN = datetime(2026, 10, 22, 22, 0, tzinfo=UTC)
BEGIN_S = int(BEGIN.timestamp())
EVERY_S = 20
HOUR_S = 3600
# a tenth of a watt-hour; 0.5 kW on average
STEP_WH10 = 28


class Pi:
    """The true time, the meter that counts all the time, and a computer with its two clocks beside it."""

    def __init__(self, path: Path, *, has_own: bool = False, seed: int = 1) -> None:
        self.true_s = float(BEGIN_S)
        self.raw = 1_000_000
        self.truth: dict[int, int] = {}
        self._random = Random(seed)
        self._address = f"sqlite:///{path / 'iskra.sqlite'}"
        self._has_own = has_own
        self._booted_s = self._asleep_s = 0.0
        # what the wall clock shows, less the true time; what it showed when it was saved
        self.wrong_s = 0.0
        self._saved_s = self.true_s
        self.synchronised = False
        self._recorder: Recorder | None = None

    def boot(self, *, synchronised: bool = True) -> None:
        """The clock goes on where it was saved last, unless it has one of its own."""
        self._booted_s, self.synchronised = self.true_s, synchronised
        self.wrong_s = 0.0 if synchronised or self._has_own else self._saved_s - self.true_s
        self.start()

    def start(self) -> None:
        self._writer = Writer(lambda: Store(self._address), together_s=0.01)
        self._writer.start()
        wait_until(lambda: self._writer.caught_up)
        clock = Clock(synchronised=lambda: self.synchronised, has_own=self._has_own)
        self._recorder = Recorder(writer=self._writer, flush_s=600, keep_points=True, simulated=False, clock=clock)

    def stop(self) -> None:
        """The process ends in order."""
        assert self._recorder is not None
        self._recorder.close()
        assert self._writer.close(DEADLINE_S).ok
        self._recorder = None

    def cut(self) -> None:
        """The power is cut: what was not written is gone, the clock as it was saved last."""
        # what the thread is about to write would be written after the next start, in no order
        assert self._writer.close(DEADLINE_S).ok
        self._recorder = None

    def set(self, wrong_s: float = 0.0, *, synchronised: bool = True) -> None:
        """Somebody sets the clock; by default time synchronisation sets it right."""
        self.wrong_s, self.synchronised = wrong_s, synchronised

    def save(self) -> None:
        """As fake-hwclock does each hour, and at a shutdown."""
        self._saved_s = self.true_s + self.wrong_s

    def run(self, seconds: float, *, reads: bool = True) -> None:
        """Time passes; the meter counts and sends, and is read unless the computer is off, frozen or asleep."""
        samples = list(self._live(seconds, reads=reads))
        if self._recorder is not None:
            asyncio.run(self._recorder.run(_given(samples)))

    def off(self, seconds: float) -> None:
        self.run(seconds, reads=False)

    def sleep(self, seconds: float, *, counts: bool = True) -> None:
        """Suspension, which boot time counts; a hypervisor that pauses the machine does not let it."""
        self.run(seconds, reads=False)
        self._asleep_s += 0 if counts else seconds

    def _live(self, seconds: float, *, reads: bool) -> Iterator[Sample]:
        # in whole steps, so that each quarter is the end of one
        for _ in range(round(seconds / EVERY_S)):
            used = self._random.randrange(2 * STEP_WH10)
            self.true_s += EVERY_S
            self.raw += used
            if self.true_s % QUARTER_S == 0:
                self.truth[int(self.true_s) // QUARTER_S] = self.raw
            if reads:
                yield self._sample()

    def _sample(self) -> Sample:
        content = reading(energy(self.raw), power(500), seconds=int(self.true_s) - BEGIN_S + 10_000)
        received_at = datetime.fromtimestamp(self.true_s + self.wrong_s, UTC)
        boot_s = self.true_s - self._booted_s - self._asleep_s
        return Sample(content, received_at, boot_s, simulated=False, source="test")


async def _given(samples: list[Sample]) -> AsyncGenerator[Sample, None]:
    for each in samples:
        yield each


def check(pi: Pi, path: Path, *, at_least: int) -> None:
    """Each quarter is the truth, to what the meter can have used between two telegrams; and the sum is, to the end."""
    store = Store(f"sqlite:///{path / 'iskra.sqlite'}")
    assert find_impossible(store, pi.true_s) == []
    found = store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)
    assert len(found) >= at_least
    for each in found:
        assert each.quarter in pi.truth, (
            f"the quarter {datetime.fromtimestamp(each.quarter * QUARTER_S, UTC)} was not lived"
        )
        # interpolated over fifteen minutes at most, at twice the mean power
        steps = 4 if each.quality == "measured" else 46
        off = abs(each.value.raw - pi.truth[each.quarter])
        assert off <= steps * 2 * STEP_WH10, f"{datetime.fromtimestamp(each.quarter * QUARTER_S, UTC)} is off by {off}"
    at = bucket_edges(BEGIN, BEGIN + timedelta(days=8), "day", BERLIN)
    answer = energy_of(
        at,
        lambda quarters: store.quarter_readings(METER_ID, IMPORT, quarters),
        lambda quarter: store.nearest_before(METER_ID, IMPORT, quarter),
        lambda quarter: store.nearest_after(METER_ID, IMPORT, quarter),
        store.epochs(METER_ID, IMPORT),
    )
    assert answer.epochs == ()
    first, last = found[0], found[-1]
    parts = sum((bucket.energy_wh for bucket in answer.buckets if bucket.energy_wh is not None), Decimal())
    parts += sum((gap.energy_wh for gap in answer.gaps), Decimal())
    assert answer.total_wh is None or parts == answer.total_wh
    assert pi.truth[last.quarter] - pi.truth[first.quarter] == pytest.approx(last.value.raw - first.value.raw, abs=2000)
    store.close()


def test_a_week_on_a_pi_without_a_clock(tmp_path: Path) -> None:
    pi = Pi(tmp_path)
    # Friday: well, then an hour without power; the clock goes on where it stopped, and is set ten minutes later
    pi.boot()
    pi.run(20 * HOUR_S)
    pi.save()
    pi.cut()
    pi.off(HOUR_S)
    pi.boot(synchronised=False)
    pi.run(600)
    pi.set()
    pi.run(10 * HOUR_S)
    # Saturday night: summer time ends; an orderly restart of the process in the doubled hour
    pi.stop()
    pi.off(40)
    pi.start()
    pi.run(20 * HOUR_S)
    # Sunday: the line is down after a cut for half a day, and with it time synchronisation
    pi.save()
    pi.run(1900)
    pi.cut()
    pi.off(3 * HOUR_S)
    pi.boot(synchronised=False)
    pi.run(12 * HOUR_S)
    pi.set()
    pi.run(5 * HOUR_S)
    # Monday: a time server gives a wrong answer for a minute, then for ten
    for seconds in (60, 600):
        pi.set(400 * 86_400.0)
        pi.run(seconds)
        pi.set()
        pi.run(3 * HOUR_S)
    # Tuesday: the lid is closed for a night; then a machine that is paused as a whole
    pi.sleep(8 * HOUR_S)
    pi.run(6 * HOUR_S)
    pi.sleep(2 * HOUR_S, counts=False)
    pi.run(6 * HOUR_S)
    # Wednesday: frozen for a minute and a half over a quarter
    pi.run(QUARTER_S - pi.true_s % QUARTER_S - 40)
    pi.off(100)
    pi.run(20 * HOUR_S)
    pi.stop()
    check(pi, tmp_path, at_least=400)


def test_with_a_clock_that_began_in_1970_nothing_is_of_1970(tmp_path: Path) -> None:
    pi = Pi(tmp_path, has_own=True)
    pi.boot(synchronised=False)
    pi.wrong_s = -pi.true_s
    pi.run(2 * HOUR_S)
    pi.set()
    pi.run(2 * HOUR_S)
    pi.stop()
    check(pi, tmp_path, at_least=15)


@pytest.mark.parametrize("off_s", [300, HOUR_S, 30 * HOUR_S])
def test_a_computer_whose_clock_stood_still_is_found_out_by_the_meter(tmp_path: Path, off_s: int) -> None:
    """Its own clock has stopped with its battery, and nobody sets it."""
    pi = Pi(tmp_path, has_own=True)
    pi.boot()
    pi.run(2 * HOUR_S)
    pi.save()
    pi.stop()
    pi.off(off_s)
    pi.boot(synchronised=False)
    pi.wrong_s = -float(off_s)
    pi.run(2 * HOUR_S)
    pi.set()
    pi.run(HOUR_S)
    pi.stop()
    check(pi, tmp_path, at_least=18)


def test_a_clock_that_is_more_than_a_day_behind_sets_nothing_aside(tmp_path: Path) -> None:
    """It is the same tomorrow: what history has recorded lies still ahead."""
    pi = Pi(tmp_path, has_own=True)
    pi.boot()
    pi.run(40 * HOUR_S)
    pi.stop()
    pi.boot(synchronised=False)
    pi.wrong_s = -30.0 * HOUR_S
    pi.run(26 * HOUR_S)
    pi.set()
    pi.run(HOUR_S)
    pi.stop()
    store = Store(f"sqlite:///{tmp_path / 'iskra.sqlite'}")
    assert list_set_aside(store) == []
    store.close()
    check(pi, tmp_path, at_least=260)


EVENTS = st.one_of(
    st.tuples(st.just("run"), st.integers(60, 5000)),
    st.tuples(st.just("cut"), st.integers(60, 9000)),
    st.tuples(st.just("restart"), st.integers(20, 2000)),
    st.tuples(st.just("sleep"), st.integers(60, 9000)),
    st.tuples(st.just("pause"), st.integers(200, 9000)),
    st.tuples(st.just("freeze"), st.integers(20, 900)),
    st.tuples(st.just("wrong"), st.integers(-4000, 4000).filter(lambda wrong_s: abs(wrong_s) > 90)),
)


@given(events=st.lists(EVENTS, min_size=3, max_size=9), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=8)
def test_whatever_happens_no_quarter_is_wrong(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, int]], seed: int
) -> None:
    """A wrong answer of a time server is taken back within the two minutes in which it is not believed."""
    path = tmp_path_factory.mktemp("week")
    pi = Pi(path, seed=seed)
    pi.boot()
    pi.run(2 * HOUR_S)
    for what, amount in events:
        match what:
            case "cut":
                pi.save()
                pi.run(120)
                pi.cut()
                pi.off(amount)
                pi.boot(synchronised=False)
                pi.run(amount)
                pi.set()
            case "restart":
                pi.stop()
                pi.off(amount)
                pi.start()
            case "sleep":
                pi.sleep(amount)
            case "pause":
                pi.sleep(amount, counts=False)
            case "freeze":
                pi.off(amount)
            case "wrong":
                pi.set(float(amount))
                pi.run(100)
                pi.set()
            case _:
                pi.run(amount)
        pi.run(1500)
    pi.stop()
    check(pi, path, at_least=9)
