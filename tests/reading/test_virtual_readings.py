"""Virtual meters in the hub: moments are given relative to now, in boot time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from iskra_server.base.clock import boottime_s
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from iskra_server.reading import virtual_readings
from iskra_server.reading.hub import Hub
from iskra_server.reading.virtual_readings import VirtualReadings, VirtualState
from samples import energy, power, sample

Z1, Z2 = "1 ISK 00 10000001", "1 ISK 00 10000002"
PUMP = VirtualMeter("Heat pump", (MeterPart("Z1", 1, Z1, "port"), MeterPart("10000002", -1, Z2, "port")))


class Tried:
    """A hub with the meters of a virtual one, at a moment that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, meter: VirtualMeter = PUMP) -> None:
        self.hub = Hub()
        self.readings = VirtualReadings(self.hub, lambda: [meter])
        self._began_s = boottime_s()
        self.now_s = 0.0
        monkeypatch.setattr(virtual_readings, "boottime_s", lambda: self._began_s + self.now_s)

    def send(self, meter_id: str, *registers: Register, at_s: float, **more: object) -> list[int | None]:
        """A telegram, and the power of the virtual meter that it completes."""
        self.now_s = at_s
        before = self.hub.newest.get("Heat pump")
        content = sample(*registers, meter_id=meter_id)
        now = datetime.now(UTC) + timedelta(seconds=at_s)
        self.hub.publish(structs.replace(content, monotonic_s=self._began_s + at_s, received_at=now, **more))
        self.readings.observe(meter_id)
        after = self.hub.newest.get("Heat pump")
        return [int(after.reading.registers[0].value or 0)] if after and after is not before else []

    def sample(self) -> Sample:
        return self.hub.newest["Heat pump"]

    def state(self, at_s: float) -> VirtualState:
        self.now_s = at_s
        return self.readings.states()[0]

    def is_fresh(self, at_s: float) -> bool:
        return self.hub.is_fresh("Heat pump", self._began_s + at_s)

    def age_s(self, at_s: float) -> float:
        return round(self.hub.age_s("Heat pump", self._began_s + at_s) or 0.0, 3)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Tried:
    return Tried(monkeypatch)


def test_the_values_that_are_nearest_to_each_other_belong_together(tried: Tried) -> None:
    shown = []
    for second in range(4):
        shown += tried.send(Z1, power(1000 + second), at_s=second)
        shown += tried.send(Z2, power(400 + second), at_s=second + 0.2)
    # never 1001 - 400, of which one is 0.8 s old
    assert shown == [600] * 4


def test_three_parts_that_are_evenly_spread_have_a_value_in_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    flats = [f"1 ISK 00 1000000{number}" for number in range(3)]
    tried = Tried(monkeypatch, VirtualMeter("Heat pump", tuple(MeterPart(flat, 1) for flat in flats)))
    for second in range(10):
        shown = [tried.send(flat, power(100), at_s=second + place / 3) for place, flat in enumerate(flats)]
        assert second < 1 or [300] in shown


def test_the_first_telegrams_do_not_decide_which_ones_belong_together(tried: Tried) -> None:
    shown = tried.send(Z2, power(400), at_s=-0.8)
    for second in range(4):
        shown += tried.send(Z1, power(1000 + second), at_s=second)
        shown += tried.send(Z2, power(400 + second), at_s=second + 0.2)
    assert shown[-3:] == [600] * 3


def test_a_part_that_sends_more_often_waits_for_the_other(tried: Tried) -> None:
    shown = []
    for step in range(40):
        shown += tried.send(Z1, power(1000 + step // 10), at_s=step / 10)
        if step % 10 == 0:
            shown += tried.send(Z2, power(400 + step // 10), at_s=step / 10 + 0.01)
    assert set(shown) == {600}
    assert 4 <= len(shown) <= 8


def test_the_age_is_that_of_the_oldest_part(tried: Tried) -> None:
    tried.send(Z1, power(1000), at_s=0)
    tried.send(Z2, power(400), at_s=0.3)
    assert tried.age_s(1.0) == 1.0
    assert tried.hub.stale_after_s("Heat pump") == 3.0


def test_parts_that_may_have_waited_make_it_older_and_belong_together_all_the_same(tried: Tried) -> None:
    tried.send(Z1, power(1000), at_s=0, waited_s=1.0)
    assert tried.send(Z2, power(400), at_s=0.3) == [600]
    assert tried.age_s(0.3) == 1.3
    tried.send(Z1, power(1000), at_s=1)
    assert tried.send(Z2, power(400), at_s=1.3, waited_s=0.9) == [600]
    # that of the second part, whose telegram is younger
    assert tried.age_s(1.3) == 0.9
    tried.send(Z1, power(1000), at_s=2)
    assert tried.send(Z2, power(400), at_s=2.3) == [600]
    assert tried.age_s(2.3) == 0.3


def test_without_one_part_it_is_absent_after_three_seconds(tried: Tried) -> None:
    for second in range(3):
        tried.send(Z1, power(1000), at_s=second)
        tried.send(Z2, power(400), at_s=second + 0.1)
    assert [tried.send(Z1, power(1000), at_s=second) for second in (3, 4, 5, 6)] == [[], [], [], []]
    assert tried.is_fresh(4.9)
    assert not tried.is_fresh(5.2)
    state = tried.state(5.2)
    assert not state.ok
    assert state.sentence.startswith("Meter 10000002 has sent nothing for more than 3 s.")
    assert [part.age_s and round(part.age_s, 3) for part in state.parts] == [0, 3.1]
    # it is back with the next telegram
    assert tried.send(Z2, power(400), at_s=6.1) == [600]
    assert tried.is_fresh(6.2)
    assert (tried.state(6.2).ok, tried.state(6.2).advice.fault) == (True, "virtual_well")


def test_the_silent_part_is_named_as_soon_as_the_value_is_stale(tried: Tried) -> None:
    for second in range(3):
        tried.send(Z1, power(1000), at_s=second)
        tried.send(Z2, power(400), at_s=second + 0.3)
    for second in (3, 4, 5):
        tried.send(Z1, power(1000), at_s=second)
    # what was published last is of the time 2; the second meter has sent at 2.3
    assert not tried.is_fresh(5.1)
    state = tried.state(5.1)
    assert (state.ok, state.advice.fault) == (False, "part_stale")
    assert "10000002" in state.sentence


def test_a_part_that_is_too_old_already_gives_no_value(tried: Tried) -> None:
    tried.send(Z1, power(1000), at_s=-3.1)
    assert tried.send(Z2, power(400), at_s=0) == []
    assert "Heat pump" not in tried.hub.newest


def test_it_is_simulated_if_a_part_is(tried: Tried) -> None:
    tried.send(Z1, power(1000), at_s=0)
    tried.send(Z2, power(400), at_s=0.1, simulated=True)
    assert tried.sample().simulated
    assert tried.state(0.1).simulated


def test_its_epoch_grows_with_that_of_each_part(tried: Tried) -> None:
    tried.send(Z1, power(1000), at_s=0, epoch=2)
    tried.send(Z2, power(400), at_s=0.1, epoch=1)
    assert tried.sample().epoch == 3


def test_a_part_is_found_by_its_number_or_server_id(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = VirtualMeter("Heat pump", (MeterPart("1ISK0010000001", 1), MeterPart("1 ISK 00 10000002", -1)))
    tried = Tried(monkeypatch, meter)
    tried.send(Z1, power(1000), at_s=0)
    assert tried.send(Z2, power(400), at_s=0.1) == [600]


def test_an_unknown_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Tried(
        monkeypatch, VirtualMeter("Heat pump", (MeterPart("1 ISK 00 10000001", 1), MeterPart("99999999", -1)))
    )
    tried.send(Z1, power(1000), at_s=0)
    state = tried.state(0)
    assert state.advice.fault == "part_unknown"
    assert state.sentence.startswith("No meter 99999999 is being read. Check plus and minus")
    assert [(part.counts, part.meter) for part in state.parts] == [("plus", Z1), ("minus", None)]


def test_a_source_that_has_not_read_its_meter_yet_is_no_unknown_one(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Tried(monkeypatch, VirtualMeter("Heat pump", (MeterPart("Z1", 1, "", "/dev/ttyUSB0"), MeterPart(Z1, -1))))
    assert tried.state(0).advice.fault == "part_stale"


def test_two_names_of_one_meter_give_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Tried(monkeypatch, VirtualMeter("Heat pump", (MeterPart("Z1", 1, Z1, "port"), MeterPart(Z1, -1))))
    assert tried.send(Z1, power(1000), at_s=0) == []
    assert tried.state(0).advice.fault == "part_twice"
    assert "are the same meter: 1 ISK 00 10000001" in tried.state(0).sentence


def test_a_part_without_power_is_named_and_one_with_whole_kwh_too(tried: Tried) -> None:
    tried.send(Z1, power(1000), at_s=0)
    assert tried.send(Z2, energy(7, 3), at_s=0.1) == []
    state = tried.state(0.1)
    assert state.advice.fault == "part_no_power"
    assert state.sentence.startswith("Meter 10000002 sends no power")
    assert [notice.fault for notice in state.notices] == ["part_is_coarse"]


def test_a_real_meter_of_this_name_is_never_hidden(tried: Tried) -> None:
    tried.send("Heat pump", power(1), at_s=0)
    tried.send(Z1, power(1000), at_s=0)
    tried.send(Z2, power(400), at_s=0.1)
    assert tried.sample().reading.protocol == "sml"
    assert tried.state(0.1).advice.fault == "name_taken"
    assert "Give the virtual meter another name" in tried.state(0.1).sentence


def test_it_follows_the_hub() -> None:
    async def run() -> Sample:
        hub = Hub()
        running = asyncio.create_task(VirtualReadings(hub, lambda: [PUMP]).run())
        await asyncio.sleep(0)
        with hub.subscribe("test") as samples:
            for meter_id, watts in ((Z1, 1000), (Z2, 400)):
                hub.publish(structs.replace(sample(power(watts), meter_id=meter_id), monotonic_s=boottime_s()))
            async with asyncio.timeout(60):
                shown = [await anext(samples) for _ in range(3)][2]
        running.cancel()
        return shown

    shown = asyncio.run(run())
    assert (shown.reading.meter_id, shown.source) == ("Heat pump", "virtual")
    assert shown.reading.registers[0].value == 600
