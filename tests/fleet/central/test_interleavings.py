"""Any interleaving of readers, histories, duplicates and late messages, against an oracle.

Every value that a reader has measured is kept, waits at its reader or is a conflict; a counter never goes back within
an epoch; and the energy of all that is kept is that of the simulated counter.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from iskra_server.fleet.central.admission import ReceivedQuarters
from iskra_server.fleet.central.claims import move_meter
from iskra_server.fleet.central.reader_state import ReaderMessage, ReaderState
from iskra_server.fleet.central.tables import IngestBatch, write_batch
from iskra_server.history.model.energy import energy_between, energy_in_buckets
from iskra_server.history.model.records import ClockStep, EpochStart, Exact, MeterInfo, QuarterReading, Record
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.schema import conflict
from iskra_server.history.store.store import Store
from samples import IMPORT
from trying import seeds

BEGIN = 1_990_000
METER = MeterInfo("1 ISK 00 00000001", "0901", False, BEGIN * 900, BEGIN * 900)
DAY = 96


class Counter:
    """A real counter: `energy` grows for ever in Wh, what it shows begins again at the restarts (Unix seconds).

    It begins with 0, or with `step` more at each restart.
    """

    def __init__(self, dice: random.Random, restarts: list[int], step: int = 0) -> None:
        self._steps = [dice.randrange(0, 400) for _ in range(DAY * 3)]
        self._restarts, self._step = restarts, step

    def energy(self, at_s: int) -> int:
        quarter, second = divmod(at_s - (BEGIN - 5) * 900, 900)
        return 100_000 + sum(self._steps[:quarter]) + self._steps[quarter] * second // 900

    def shows(self, at_s: int) -> int:
        return self._since([moment for moment in self._restarts if moment <= at_s], at_s)

    def until(self, restart_s: int) -> int:
        """What it showed last."""
        return self._since([moment for moment in self._restarts if moment < restart_s], restart_s)

    def _since(self, restarts: list[int], at_s: int) -> int:
        return self.energy(at_s) - (self.energy(max(restarts)) if restarts else 0) + self._step * len(restarts)

    def restart_between(self, first_s: int, last_s: int) -> int | None:
        return next((moment for moment in self._restarts if first_s < moment <= last_s), None)


class History:
    """What one program records on one card; `clock_s` is how far its clock is ahead."""

    def __init__(self, name: str, ledger: str, session: bytes, clock_s: int = 0) -> None:
        self.name, self.ledger, self.session, self.clock_s = name, ledger, session, clock_s
        self.readings: dict[int, QuarterReading] = {}
        self.waiting: list[list[Record]] = []
        self._epoch, self._last_s = 0, 0

    def record(self, counter: Counter, first: int, end: int, dice: random.Random, *, set_within_s: int = 0) -> None:
        """The quarters from one until before another, by its own clock; queued in messages of any length.

        The clock may be set near a restart: then it shows it up to so many seconds before or after.
        """
        message: list[Record] = []
        for quarter in range(first, end):
            now_s = quarter * 900 - self.clock_s
            restart = counter.restart_between(self._last_s, now_s) if self._last_s else None
            if restart is not None:
                # where it did not read meanwhile, it has seen the restart with its next reading
                near = now_s - self._last_s == 900
                after_s = restart if near else now_s
                before = Exact(counter.until(restart) if near else counter.shows(self._last_s), 0)
                after = Exact(counter.shows(after_s), 0)
                self._epoch += 1
                at_s = after_s + self.clock_s
                if near and set_within_s:
                    at_s = min(max(at_s + dice.randint(-set_within_s, set_within_s), first * 900), end * 900 - 1)
                message.append(EpochStart(METER.meter_id, IMPORT, self._epoch, at_s, before, after))
            self._last_s = now_s
            value = Exact(counter.shows(now_s), 0)
            reading = QuarterReading(METER.meter_id, IMPORT, quarter, value, "measured", self._epoch)
            self.readings[quarter] = reading
            message.append(reading)
            if dice.random() < 0.3:
                self.waiting.append(message)
                message = []
        if message:
            self.waiting.append(message)


class Centre:
    """Two collectors in turn on one database."""

    def __init__(self, address: str) -> None:
        self.collectors = [Store(address), Store(address)]
        self.turn = 0

    def deliver(self, history: History, messages: list[list[Record]], now_s: int) -> list[bool]:
        """In one batch; whether each is kept."""
        self.turn += 1
        state = ReaderState(history.name, now_s, True, "Fine.", "[]")
        batch = IngestBatch(
            quarters=[
                ReceivedQuarters(
                    place,
                    history.name,
                    history.session,
                    now_s,
                    now_s,
                    history.ledger,
                    replace(METER, meter_id=getattr(message[0], "meter_id", METER.meter_id)),
                    tuple(message),
                )
                for place, message in enumerate(messages)
            ],
            readers=[ReaderMessage(len(messages), history.name, history.session, now_s, state)],
        )
        outcome = write_batch(self.collectors[self.turn % 2], batch, now_s)
        return [place not in outcome.receipts for place in range(len(messages))]

    def move(self, to: str, quarter: int) -> str:
        return move_meter(self.collectors[0], METER.meter_id, to, quarter * 900)

    def close(self) -> None:
        for store in self.collectors:
            store.close()


class Run:
    """Histories send what waits, in any order, some of it again and again."""

    def __init__(self, centre: Centre, seed: int, restarts: list[int] | None = None, step: int = 0) -> None:
        self.centre, self.dice = centre, random.Random(seed)
        self.counter = Counter(self.dice, restarts or [], step)
        self.histories: list[History] = []

    def history(self, name: str, ledger: str, session: bytes, clock_s: int = 0) -> History:
        history = History(name, ledger, session, clock_s)
        self.histories.append(history)
        return history

    def send(self, *histories: History, until: int, share: float = 1.0, lost: float = 0.2) -> None:
        """At quarter `until`, by the clock of the centre; of each so many of its messages, and some twice."""
        for _ in range(3):
            for history in self.dice.sample(histories, len(histories)):
                chosen = [message for message in history.waiting if self.dice.random() < share]
                self.dice.shuffle(chosen)
                while chosen:
                    part, chosen = chosen[:4], chosen[4:]
                    kept = self.centre.deliver(history, part, until * 900)
                    for message, is_kept in zip(part, kept, strict=True):
                        # some answers do not arrive
                        if is_kept and self.dice.random() >= lost:
                            history.waiting.remove(message)

    def finish(self, until: int) -> None:
        """Until nothing more arrives."""
        before = -1
        while before != (now := sum(len(history.waiting) for history in self.histories)):
            before = now
            self.send(*self.histories, until=until, lost=0)

    def check(self) -> list[QuarterReading]:
        """Nothing is lost, nothing goes back."""
        store = self.centre.collectors[0]
        rows = store.quarter_readings_between(METER.meter_id, IMPORT, 0, 2**31 - 1)
        kept = {row.quarter: row.value for row in rows}
        others = {(row.quarter, row.reader, row.raw) for row in store.query(select(conflict))}
        for history in self.histories:
            waits = {
                record.quarter for part in history.waiting for record in part if isinstance(record, QuarterReading)
            }
            for quarter, reading in history.readings.items():
                assert (
                    kept.get(quarter) == reading.value
                    or (quarter, history.name, reading.value.raw) in others
                    or quarter in waits
                ), f"{history.name} has lost {reading}"
        for number in {row.epoch for row in rows}:
            values = [row.value.raw for row in rows if row.epoch == number]
            assert values == sorted(values)
        return rows

    def energy(self, rows: list[QuarterReading]) -> int:
        """Of all neighbours, as the starts of epochs say."""
        starts = {start.epoch: start for start in self.centre.collectors[0].epochs(METER.meter_id, IMPORT)}
        total = Decimal(0)
        for before, after in pairwise(rows):
            total += after.value.decimal - before.value.decimal
            if before.epoch != after.epoch:
                start = starts[after.epoch]
                assert before.quarter * 900 <= start.at_s <= after.quarter * 900
                assert start.before is not None
                total += start.before.decimal - start.after.decimal
        return int(total)

    def check_energy(self, loss: int = 0) -> None:
        """All rows are of clocks that are right: the energy is that of the counter, to the last Wh."""
        rows = self.check()
        first_s, last_s = rows[0].quarter * 900, rows[-1].quarter * 900
        assert self.energy(rows) == self.counter.energy(last_s) - self.counter.energy(first_s) - loss


@pytest.fixture(params=seeds(3))
def seed(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with closing(Centre(f"sqlite:///{tmp_path}/central.sqlite")) as centre:
        yield centre


def test_a_meter_that_moves_to_another_reader_and_back(centre: Centre, seed: int) -> None:
    run = Run(centre, seed)
    one, other = run.history("one", "a", b"11111111"), run.history("other", "b", b"22222222")
    centre.deliver(other, [], BEGIN * 900)
    end = BEGIN
    for number, (reader, away) in enumerate(((one, other), (other, one), (one, other))):
        if number:
            assert centre.move(reader.name, end) == away.name
        begin, end = end, end + run.dice.randrange(1, 20)
        reader.record(run.counter, begin, end, run.dice)
        # what the former one has measured before may still come
        run.send(reader, away, until=end, share=0.5)
    run.finish(end)
    assert not [history.name for history in run.histories if history.waiting]
    run.check_energy()
    assert {row.epoch for row in run.check()} == {0}


def test_a_counter_that_restarts_while_the_meter_moves(centre: Centre, seed: int) -> None:
    end = BEGIN + 40
    dice = random.Random(seed)
    quarters = sorted(dice.sample(range(BEGIN + 1, end - 1), dice.randrange(1, 3)))
    run = Run(centre, seed, [quarter * 900 + dice.randrange(900) for quarter in quarters])
    one, other = run.history("one", "a", b"11111111"), run.history("other", "b", b"22222222")
    centre.deliver(other, [], BEGIN * 900)
    middle = BEGIN + dice.randrange(2, 38)
    one.record(run.counter, BEGIN, middle, dice)
    run.send(one, until=middle, share=0.5)
    centre.move("other", middle)
    other.record(run.counter, middle - 1, end, dice)
    run.finish(end)
    run.check_energy()


def test_a_backlog_with_restarts_upward_comes_after_the_rows_of_the_next_reader(centre: Centre, seed: int) -> None:
    """Every epoch of the first reader could go on with what the other one has written: its counter shows more."""
    dice = random.Random(seed)
    middle, end = BEGIN + 20, BEGIN + 30
    quarters = sorted(dice.sample(range(BEGIN + 1, middle - 2), dice.randrange(1, 4)))
    run = Run(centre, seed, [quarter * 900 + dice.randrange(900) for quarter in quarters], step=10**7)
    one, other = run.history("one", "a", b"11111111"), run.history("other", "b", b"22222222")
    one.record(run.counter, BEGIN, middle, dice)
    # it was away, so the other one is the first to send this meter
    other.record(run.counter, middle, end, dice)
    run.send(other, until=end, lost=0)
    centre.deliver(one, [], end * 900)
    assert centre.move("one", end) == "other"
    run.finish(end)
    assert not one.waiting and not other.waiting
    rows = run.check()
    assert len(rows) == end - BEGIN
    counter = CounterHistory(centre.collectors[0], [METER.meter_id], IMPORT)
    energies = energy_in_buckets(
        range(BEGIN, end), counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs
    )
    true = [run.counter.energy(quarter * 900) for quarter in range(BEGIN, end)]
    assert [bucket.energy_wh for bucket in energies.buckets] == [after - before for before, after in pairwise(true)]


def test_a_counter_that_also_restarted_before_the_next_reader_came(centre: Centre, seed: int) -> None:
    """Nobody has seen that restart, and the backlog with the others comes late, as it may go on with the next rows."""
    dice = random.Random(seed)
    middle, end = BEGIN + 20, BEGIN + 40
    quarters = [*sorted(dice.sample(range(BEGIN + 1, middle - 2), dice.randrange(1, 4))), middle - 1]
    run = Run(centre, seed, [quarter * 900 + dice.randrange(900) for quarter in quarters])
    one, other = run.history("one", "a", b"11111111"), run.history("other", "b", b"22222222")
    one.record(run.counter, BEGIN, middle, dice)
    # by then the counter shows more than at the end of some epochs, and less than at the end of others
    begin = middle + dice.randrange(12)
    other.record(run.counter, begin, end, dice)
    run.send(other, until=end, lost=0)
    centre.deliver(one, [], end * 900)
    assert centre.move("one", end) == "other"
    run.finish(end)
    assert not one.waiting and not other.waiting
    run.check()
    counter = CounterHistory(centre.collectors[0], [METER.meter_id], IMPORT)
    for before, after in pairwise(counter.between(BEGIN, end)):
        true = run.counter.energy(after.quarter * 900) - run.counter.energy(before.quarter * 900)
        energy = energy_between(before, after, counter.epochs)
        if before.quarter < middle <= after.quarter:
            assert 0 <= energy <= true
        else:
            assert energy == true


@pytest.mark.parametrize("names", ["12", "123", "112"])
def test_every_order_and_division_into_messages_gives_the_same_numbers(centre: Centre, seed: int, names: str) -> None:
    """Readers in turn, or two cards of one; restarts at any time, also while nobody reads; a clock that is set moves
    what was seen.
    """
    count = len(names)
    dice = random.Random(seed)
    end = BEGIN + 30
    restarts = sorted(dice.sample(range(BEGIN, end), dice.randrange(4 * count - 4)))
    counter = Counter(dice, [quarter * 900 + dice.randrange(1, 900) for quarter in restarts])
    readers = [History(f"reader-{name}", ledger, name.encode() * 8) for name, ledger in zip(names, "abc", strict=False)]
    moves = [BEGIN, *sorted(dice.sample(range(BEGIN + 1, end - 1), dice.randrange(1, 2 * count))), end]
    turns: list[History] = []
    exact: set[tuple[int, int]] = set()
    for moved, until in pairwise(moves):
        turns.append(dice.choice([reader for reader in readers if reader not in turns[-1:]]))
        begin = moved + (dice.randrange(2) if until - moved > 2 else 0)
        turns[-1].record(counter, begin, until, dice, set_within_s=dice.choice((0, 0, 1200)))
        exact |= set(pairwise(range(begin, until)))
    results = set()
    for number in range(3):
        meter = f"1 ISK 00 {number:08}"
        _deliver_in_any_order(centre, meter, turns, moves, dice)
        store = centre.collectors[0]
        counter_history = CounterHistory(store, [meter], IMPORT)
        energies = [
            (before.quarter, after.quarter, energy_between(before, after, counter_history.epochs))
            for before, after in pairwise(counter_history.between(BEGIN, end))
        ]
        for begin, until, energy in energies:
            true = counter.energy(until * 900) - counter.energy(begin * 900)
            assert energy == true if (begin, until) in exact else 0 <= energy <= true, (number, begin, until)
        results.add(tuple(energies))
    assert len(results) == 1 and not store.query(select(conflict))


def _deliver_in_any_order(
    centre: Centre, meter: str, turns: list[History], moves: list[int], dice: random.Random
) -> None:
    """`turns` are the readers of the meter, each until the next of `moves`; who sends first has it at first."""
    end_s = moves[-1] * 900
    records = {
        reader.ledger: [
            replace(record, meter_id=meter)
            for part in reader.waiting
            for record in part
            if not isinstance(record, ClockStep)
        ]
        for reader in turns
    }
    first = dice.choice(turns)
    sent = dice.choice([record for record in records[first.ledger] if isinstance(record, QuarterReading)])
    assert centre.deliver(first, [[sent]], end_s) == [True]
    for reader, quarter in zip(turns, moves, strict=False):
        centre.deliver(reader, [], end_s)
        if reader is not first or quarter > BEGIN:
            move_meter(centre.collectors[0], meter, reader.name, quarter * 900)
    readers = {reader.ledger: reader for reader in turns}
    parts = [(readers[ledger], part) for ledger, own in records.items() for part in _divided(own, dice)]
    dice.shuffle(parts)
    for reader, part in parts:
        assert centre.deliver(reader, [part], end_s) == [True]


def _divided(records: Sequence[Record], dice: random.Random) -> list[list[Record]]:
    """Into messages of any records."""
    count = dice.randrange(1, len(records) + 1)
    parts: dict[int, list[Record]] = {}
    for record in records:
        parts.setdefault(dice.randrange(count), []).append(record)
    return list(parts.values())


def test_a_reader_with_a_new_card(centre: Centre, seed: int) -> None:
    run = Run(centre, seed)
    before, after = run.history("one", "a", b"11111111"), run.history("one", "b", b"22222222")
    middle, end = BEGIN + 30, BEGIN + 60
    before.record(run.counter, BEGIN, middle, run.dice)
    run.send(before, until=middle)
    run.finish(middle)
    # nothing of the old card is heard for a while
    after.record(run.counter, middle + 1, end, run.dice)
    run.send(after, until=end)
    run.finish(end)
    assert not after.waiting
    run.check_energy()
    assert {row.epoch for row in run.check()} == {0}


def test_a_copied_card_in_another_reader_with_the_same_name(centre: Centre, seed: int) -> None:
    """Both read the same meter at once: one of them waits until the other is silent."""
    run = Run(centre, seed)
    one, copy = run.history("one", "a", b"11111111"), run.history("one", "a", b"22222222", clock_s=400)
    end = BEGIN
    for _ in range(6):
        begin, end = end, end + run.dice.randrange(1, 9)
        for history in (one, copy):
            history.record(run.counter, begin, end, run.dice)
        run.send(one, copy, until=end, share=0.7)
    run.finish(end)
    rows = run.check()
    assert one.waiting or copy.waiting
    assert run.energy(rows) == rows[-1].value.raw - rows[0].value.raw


@pytest.mark.parametrize("clock_s", [-400, 400])
def test_two_readers_with_one_meter_and_different_clocks(centre: Centre, seed: int, clock_s: int) -> None:
    """A5: the second one changes nothing, whatever its clock shows; then the administrator gives it the meter."""
    run = Run(centre, seed)
    right, wrong = run.history("right", "a", b"11111111"), run.history("wrong", "b", b"22222222", clock_s)
    middle, end = BEGIN + 20, BEGIN + 40
    right.record(run.counter, BEGIN, BEGIN + 2, run.dice)
    run.send(right, until=BEGIN + 2)
    wrong.record(run.counter, BEGIN, middle, run.dice)
    right.record(run.counter, BEGIN + 2, middle, run.dice)
    run.finish(middle)
    assert (right.waiting, sum(map(len, wrong.waiting))) == ([], 20)
    run.check_energy()
    kept = {(row.quarter, row.value.raw) for row in run.check()}
    differing = [row.quarter for row in wrong.readings.values() if (row.quarter, row.value.raw) not in kept]
    assert len(differing) >= 10
    centre.move("wrong", middle)
    wrong.record(run.counter, middle, end, run.dice)
    run.finish(end)
    assert not wrong.waiting
    rows = run.check()
    # those of the right one stay; the counter goes on
    assert {(row.quarter, row.value.raw) for row in rows} >= kept
    assert run.energy(rows) == rows[-1].value.raw - rows[0].value.raw


def test_quarters_that_are_not_over_yet_wait(centre: Centre, seed: int) -> None:
    run = Run(centre, seed)
    fast = run.history("fast", "a", b"11111111", clock_s=3 * 900)
    end = BEGIN + 30
    fast.record(run.counter, BEGIN, end, run.dice)
    run.send(fast, until=end - 3)
    assert all(row.quarter <= end - 3 for row in run.check())
    assert fast.waiting
    run.finish(end)
    assert (fast.waiting, len(run.check())) == ([], 30)
