"""Gas, water and heat that come with the telegrams of an electricity meter are meters of their own."""

from datetime import UTC, datetime, timedelta

import texts
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.meter.confirmed_ids import SILENT_S
from iskra_server.meter.guard import Guard
from iskra_server.meter.obis import Obis
from iskra_server.reading.arbitration import SourceArbiter
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.sources.source import Chunk, SourceState
from reading.given import Given

GAS = Obis.parse("0-1:24.2.1")


def reader(hub: Hub, arbiter: SourceArbiter | None = None) -> Reader:
    return Reader(source=Given(), decoder=DetectingDecoder(), guard=Guard(), hub=hub, arbiter=arbiter)


def at(second: float, data: bytes) -> Chunk:
    return Chunk(data, datetime(2026, 11, 22, 10, tzinfo=UTC) + timedelta(seconds=second), second)


def telegram(gas: str = "01569.646", identity: str = texts.GAS_ID, second: int = 19) -> bytes:
    lines = texts.p1_lines(second=second)[:-2]
    return texts.p1_telegram(
        [*lines, f"0-1:96.1.0({texts.hex_text(identity)})", f"0-1:24.2.1(261122100010W)({gas}*m3)"]
    )


def test_a_sub_meter_is_published_as_a_meter_and_is_no_telegram_of_the_head() -> None:
    hub = Hub()
    made = reader(hub)
    for second in range(5):
        made.process(at(second, telegram(second=second)))
    assert set(hub.newest) == {texts.P1_ID, texts.GAS_ID}
    gas = hub.newest[texts.GAS_ID]
    register = gas.reading.get(GAS)
    assert register is not None
    assert (str(register.value), str(register.unit), gas.reading.channel) == ("1569.646", "m³", 1)
    facts = made.facts(now_s=5.0)
    assert (facts.telegrams, facts.meter_id, facts.protocol) == (5, texts.P1_ID, "p1")
    assert (facts.previous_meter_id, facts.meter_changes, facts.ignored_telegrams) == (None, 0, 0)
    assert facts.sub_meters == (texts.GAS_ID,)
    assert facts.last_5min is not None
    assert facts.last_5min.valid == 5
    assert made.meter_id == texts.P1_ID
    assert hub.electricity_meters() == [texts.P1_ID]


def test_it_is_as_old_as_the_telegram_that_repeats_its_reading() -> None:
    hub = Hub(stale_after_s=10.0)
    made = reader(hub)
    made.process(at(0, telegram()))
    first = hub.newest[texts.GAS_ID]
    made.process(at(8, telegram(second=27)))
    second = hub.newest[texts.GAS_ID]
    # read at the same time, received later
    assert first.reading.meter_time == second.reading.meter_time
    assert (first.monotonic_s, second.monotonic_s) == (0.0, 8.0)
    assert hub.is_fresh(texts.GAS_ID, 17.0)
    assert not hub.is_fresh(texts.GAS_ID, 19.0)


def test_with_a_meter_that_is_polled_it_is_current_until_the_next_answer_too() -> None:
    hub, port = Hub(), Given()
    port.state = SourceState("port", is_open=True, interval_s=300.0)
    made = Reader(source=port, decoder=DetectingDecoder(), guard=Guard(), hub=hub)
    made.process(at(0, telegram()))
    assert hub.stale_after_s(texts.GAS_ID) == hub.stale_after_s(texts.P1_ID) == 750.0


def test_its_counter_is_guarded_apart() -> None:
    hub = Hub()
    made = reader(hub)
    made.process(at(0, telegram()))
    made.process(at(1, telegram(gas="01000.000", second=20)))
    assert str(hub.newest[texts.P1_ID].received_at.second) == "1"
    register = hub.newest[texts.GAS_ID].reading.get(GAS)
    assert register is not None
    assert str(register.value) == "1569.646"
    assert made.facts(now_s=2.0).quarantined == 0


def test_ids_that_change_with_every_telegram_are_no_meters() -> None:
    hub = Hub()
    made = reader(hub)
    for second in range(200):
        made.process(at(second, telegram(identity=f"G{second:016}", second=second % 60)))
    assert set(hub.newest) == {texts.P1_ID, "G0000000000000000"}
    assert len(made.facts(now_s=200.0).sub_meters) == 1
    assert made.facts(now_s=200.0 + SILENT_S).sub_meters == ()


def test_it_follows_the_source_of_its_carrier() -> None:
    hub, arbiter = Hub(), SourceArbiter()
    first, second = reader(hub, arbiter), reader(hub, arbiter)
    first.process(at(0, telegram()))
    published = hub.published
    second.process(at(1, telegram(second=20)))
    assert hub.published == published
    first.process(at(2, telegram(second=21)))
    assert hub.published == published + 2
