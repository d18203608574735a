import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec import structs

import pushes
import samples
import telegrams
import texts
from iskra_server.base.clock import Clock
from iskra_server.base.pauses import BEAT_S, PauseDetector
from iskra_server.codecs.d0.decoder import D0Decoder
from iskra_server.codecs.decoder import Decoder
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.codecs.dlms import encoder as encoder_dlms
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.diagnosis.facts import CounterViolation
from iskra_server.diagnosis.status import run_checks
from iskra_server.diagnosis.stream_guess import StreamGuess
from iskra_server.meter.arrival import ACCURACY_S
from iskra_server.meter.guard import AGREEING_S, Guard
from iskra_server.meter.obis import IMPORT, Obis
from iskra_server.meter.reading import Fault, Reading
from iskra_server.reading.arbitration import SourceArbiter
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.reading.reception import POLLED_BYTES, RECENT_BYTES, Reception
from iskra_server.reading.statuses import Statuses
from iskra_server.sources.source import Chunk, LineErrors, ReceivedWhileProbing, SourceState
from reading.given import Given
from samples import METER_ID


def reader(*parts: bytes, hub: Hub | None = None, decoder: Decoder | None = None, factor: float = 1.0) -> Reader:
    made = Reader(
        source=Given(*parts),
        decoder=decoder or SmlDecoder(),
        guard=Guard(),
        hub=hub or Hub(),
        name="cellar",
        factor=factor,
    )
    asyncio.run(made.run())
    return made


OTHER = bytes.fromhex("090149534b0000bc614f")


def telegram(energy: int, power: int | None = 300, scaler: int = -1, server_id: bytes = telegrams.SERVER_ID) -> bytes:
    entries = telegrams.meter_entries(energy=energy, power=power, scaler=scaler)
    return telegrams.telegram(entries, server_id=server_id)


def test_a_telegram_arrives_at_the_hub_with_the_time_of_its_last_byte() -> None:
    hub = Hub()
    data = telegram(100)
    reader(data[:50], data[50:], hub=hub)
    (sample,) = hub.newest.values()
    assert sample.reading == telegrams.readings(data)[0]
    assert (sample.monotonic_s, sample.received_at.second) == (1.0, 1)
    assert (sample.simulated, sample.source, sample.epoch) == (False, "given", 0)


def test_everything_is_counted_in_the_facts() -> None:
    damaged = telegram(100)[:-1] + b"\x00"
    facts = reader(b"x" * 20, telegram(100), damaged, telegram(50)).facts(now_s=10.0)
    assert (facts.name, facts.source, facts.port, facts.is_open) == ("cellar", "given", "given", True)
    assert facts.byte_count == 20 + 3 * len(damaged)
    assert (facts.telegrams, facts.faults, facts.quarantined) == (2, {"noise": 1, "checksum": 1}, 1)
    assert (facts.data_age_s, facts.age_s) == (7.0, 9.0)
    assert (facts.meter_id, facts.locked) == ("1 ISK 00 12345678", False)
    assert run_checks(facts).failed_check == "plausible"


@pytest.mark.parametrize(
    ("interval_s", "stale_after_s", "limit_s"),
    [(None, 60.0, 60.0), (10.0, 60.0, 60.0), (60.0, 60.0, 150.0), (60.0, None, 150.0), (60.0, 600.0, 600.0)],
)
def test_a_meter_that_is_polled_is_not_stale_before_its_next_answer(
    interval_s: float | None, stale_after_s: float | None, limit_s: float
) -> None:
    source, hub = Given(telegram(100)), Hub()
    source.state = structs.replace(source.state, interval_s=interval_s)
    made = Reader(source=source, decoder=SmlDecoder(), guard=Guard(), hub=hub, stale_after_s=stale_after_s)
    asyncio.run(made.run())
    assert hub.stale_after_s(METER_ID) == limit_s


def test_facts_are_those_of_all_lists_that_a_meter_sends_in_turn() -> None:
    made = Reader(source=Given(), decoder=SmlDecoder(), guard=Guard(), hub=Hub())
    registers = (
        (samples.power(300),),
        (samples.energy(5000), samples.energy(10, obis=samples.EXPORT)),
        (samples.energy(5001),),
    )
    for second, sent in enumerate(registers):
        content = structs.replace(samples.reading(*sent), protocol="dlms")
        made.process(Chunk(b"x", datetime.now(UTC), float(second), results=(content,)))
    facts = made.facts(now_s=3.0)
    assert (facts.telegrams, facts.has_power, facts.is_import_only) == (3, True, False)


class Endless:
    """A source that always has more, and never waits: what a connection at full speed looks like."""

    url = "endless"
    simulated = False

    def __init__(self, data: bytes) -> None:
        self.state = SourceState("endless", is_open=True)
        self.given = 0
        self._data = data

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        while True:
            self.given += 1
            yield Chunk(self._data, datetime.now(UTC), time.monotonic())


def test_a_source_with_endless_bytes_leaves_time_to_other_tasks() -> None:
    empty = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01\x1b\x1b\x1b\x1b\x1a\x00\xab\xcd"
    source = Endless(empty * 4096)
    made = Reader(source=source, decoder=SmlDecoder(), guard=Guard(), hub=Hub(), name="cellar")

    async def check() -> None:
        running = asyncio.create_task(made.run())
        for _ in range(200):
            await asyncio.sleep(0)
        # as many turns of the loop as another needs: the source has had a few of them
        assert source.given <= 200 * 1024 // (4096 * 16) + 2
        # and goes on
        async with asyncio.timeout(60):
            while source.given < 3:  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(check())
    assert made.facts().faults


def test_a_long_chunk_is_processed_in_parts() -> None:
    data = b"".join(telegram(energy) for energy in range(100, 120))
    assert len(data) > 5000
    facts = reader(data).facts(now_s=10.0)
    assert (facts.telegrams, facts.byte_count, facts.faults) == (20, len(data), {})


def test_a_chunk_without_a_byte_is_no_data_but_its_faults_count() -> None:
    made = reader()
    made.process(Chunk(b"", datetime.now(UTC), 1.0, results=(Fault("cut", "nothing followed", 100),)))
    facts = made.facts(now_s=10.0)
    assert (facts.byte_count, facts.data_age_s, facts.faults) == (0, None, {"cut": 1})


def test_before_the_first_byte_the_facts_are_empty() -> None:
    facts = reader().facts(now_s=10.0)
    assert (facts.byte_count, facts.data_age_s, facts.age_s) == (0, None, None)
    assert (facts.meter_id, facts.locked) == (None, None)
    assert run_checks(facts).failed_check == "data"


def test_readings_that_the_guard_holds_back_are_not_published(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub()
    made = reader(hub=hub)
    with caplog.at_level(logging.INFO):
        for number, energy in enumerate((5000, 10, 11, 12, 13)):
            made.process(at(number * AGREEING_S / 3, telegram(energy)))
    assert hub.published == 2
    assert [record.message for record in caplog.records] == [
        "1 ISK 00 12345678: reading held back: 1-0:1.8.0 went back from 500.0 to 1.0",
        "1 ISK 00 12345678: readings are published again (epoch 1)",
    ]


def test_two_lists_of_one_telegram_are_one_reading() -> None:
    hub = Hub()
    first, listed, last = telegrams.list_messages()
    voltage = encoder.entry(Obis.parse("32.7.0"), tlv.unsigned(2301, 2), scaler=tlv.integer(-1, 1))
    _, other, _ = telegrams.list_messages([voltage])
    made = reader(encoder.telegram([first, listed, other, last]), hub=hub)
    (sample,) = hub.newest.values()
    assert [sample.reading.get(Obis.parse(code)) is not None for code in ("1.8.0", "16.7.0", "32.7.0")] == [True] * 3
    assert (made.facts(now_s=1.0).telegrams, hub.published) == (1, 1)


def test_server_ids_that_change_with_every_telegram_are_ignored(caplog: pytest.LogCaptureFixture) -> None:
    hub, guard = Hub(), Guard()
    made = Reader(source=Given(), decoder=SmlDecoder(), guard=guard, hub=hub)
    with caplog.at_level(logging.INFO):
        for number in range(500):
            made.process(at(number, telegram(100, server_id=b"\x0a\x01ISK\0" + number.to_bytes(4))))
    assert len(hub.newest) == 1
    assert made.facts(now_s=500.0).ignored_telegrams > 400
    assert [record.message.split(";")[0] for record in caplog.records] == [
        "given: the server id changes with almost every telegram"
    ]


def test_other_tasks_run_while_a_source_floods() -> None:
    class Flood(Given):
        async def chunks(self) -> AsyncGenerator[Chunk, None]:
            for number in range(3000):
                yield at(number, telegram(100 + number))

    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def both() -> None:
        counting = asyncio.create_task(count())
        await Reader(source=Flood(), decoder=SmlDecoder(), guard=Guard(), hub=Hub()).run()
        counting.cancel()

    asyncio.run(both())
    assert turns > 10


def test_a_pause_of_the_process_is_not_counted_as_work(monkeypatch: pytest.MonkeyPatch) -> None:
    class Freezing(SmlDecoder):
        def feed(self, data: bytes) -> list[Reading | Fault]:
            time.sleep(0.2)
            return super().feed(data)

    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", rest)
    asyncio.run(Reader(source=Given(b"x"), decoder=Freezing(), guard=Guard(), hub=Hub()).run())
    assert all(seconds < 0.2 for seconds in rests)


def test_a_locked_meter_is_in_the_facts() -> None:
    assert reader(telegram(7167, None, 3)).facts(now_s=1.0).locked is True


def test_another_meter_on_the_same_head_is_noticed() -> None:
    other = telegrams.telegram(server_id=OTHER)
    assert reader(telegram(100), other, other).facts(now_s=2.0).previous_meter_id is None
    facts = reader(telegram(100), other, other, other).facts(now_s=2.0)
    assert (facts.previous_meter_id, facts.meter_id) == ("1 ISK 00 12345678", "1 ISK 00 12345679")
    assert reader(telegram(100), telegram(101)).facts(now_s=2.0).previous_meter_id is None


def test_the_previous_meter_may_be_known_from_history() -> None:
    made = Reader(
        source=Given(telegram(100)),
        decoder=SmlDecoder(),
        guard=Guard(),
        hub=Hub(),
        replaced=lambda _meter, _port, seen: seen or "old",
    )
    assert made.facts(now_s=1.0).previous_meter_id is None
    asyncio.run(made.run())
    assert "other_meter" in [notice.fault for notice in run_checks(made.facts(now_s=1.0)).notices]


def test_of_two_sources_of_a_meter_the_first_is_published() -> None:
    hub, arbiter, guard = Hub(), SourceArbiter(), Guard()
    first, second = (
        Reader(source=Given(), decoder=SmlDecoder(), guard=guard, hub=hub, arbiter=arbiter) for _ in range(2)
    )
    when, now_s = datetime(2026, 11, 22, tzinfo=UTC), time.monotonic()
    for at_s, (speaker, energy) in enumerate([(first, 103), (second, 100), (second, 101), (second, 102), (first, 104)]):
        speaker.process(Chunk(telegram(energy), when, now_s + at_s - 5))
    assert (hub.published, guard.held_back) == (2, {})
    assert (run_checks(second.facts(now_s)).ok, second.facts(now_s).age_s) == (True, 2.0)
    both = Statuses([first, second])
    assert [status.advice.fault for status in both] == ["two_heads", "two_heads"]
    assert both[1].advice.fault == "two_heads"


def test_statuses_are_a_sequence() -> None:
    readers = [reader(telegram(100)), reader()]
    statuses = Statuses(readers)
    assert [status.meter_id for status in statuses] == ["1 ISK 00 12345678", None]
    assert (len(statuses), statuses[-1].failed_check, len(statuses[1:])) == (2, "data", 1)


def at(second: float, data: bytes, *, wall_s: float | None = None) -> Chunk:
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC) + timedelta(seconds=second if wall_s is None else wall_s)
    return Chunk(data, moment, second)


def test_the_time_at_which_a_meter_locks_itself_again() -> None:
    made = reader()
    for second, data in ((0, telegram(7167, None, 3)), (5, telegram(71675432)), (126, telegram(7167, None, 3))):
        made.process(at(second, data))
    facts = made.facts(now_s=130.0)
    assert (facts.locked_at, facts.unlocked_for_s) == (datetime(2026, 11, 22, 10, 2, 6, tzinfo=UTC), 121.0)
    assert run_checks(facts).advice.fault == "inf_off"


def test_the_counter_violation_is_in_the_facts_while_readings_are_held_back() -> None:
    made = reader()
    made.process(at(0, telegram(5000)))
    made.process(at(1, telegram(10)))
    assert made.facts(now_s=1.0).counter_violation == CounterViolation("1-0:1.8.0", "500.0", "1.0", 0, is_decrease=True)
    made.process(at(2, telegram(5001)))
    assert made.facts(now_s=2.0).counter_violation is None


@pytest.mark.parametrize(("scaler", "fault"), [(127, "no_values"), (5, "beyond_rating")])
def test_a_first_reading_that_no_meter_can_show_is_not_published(scaler: int, fault: str) -> None:
    hub = Hub()
    facts = reader(*[telegram(281_360_734, None, scaler=scaler)] * 3, hub=hub).facts(now_s=4.0)
    assert not [each for sample in hub.newest.values() for each in sample.reading.numbers()]
    assert facts.telegrams == 3
    if scaler == 5:
        assert (facts.quarantined, run_checks(facts).advice.fault) == (3, fault)
    else:
        assert facts.rejected_registers == 3


@pytest.mark.parametrize(("energy", "scaler", "fault"), [(281_360_734, 5, "beyond_rating"), (-7, -1, "below_zero")])
def test_an_absurd_total_takes_no_power_away_and_is_named(
    energy: int, scaler: int, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Hub()
    facts = reader(*[telegram(energy, 300, scaler=scaler)] * 3, hub=hub).facts(now_s=4.0)
    (sample,) = hub.newest.values()
    numbers = {register.obis.short: register.value for register in sample.reading.numbers()}
    assert numbers["1-0:16.7.0"] == 300 and IMPORT.short not in numbers
    status = run_checks(facts)
    assert (status.ok, status.failed_check, status.advice.fault) == (True, "plausible", fault)
    assert (facts.rejected_registers, facts.quarantined) == (3, 0)
    assert caplog.text.count("a value of register 1-0:1.8.0 is left out") == 1


def test_a_first_telegram_without_a_checksum_is_not_said_to_have_jumped() -> None:
    made = Reader(source=Given(), decoder=P1Decoder(), guard=Guard(), hub=Hub())
    lines = ("/ISk5\\2M550", "", "1-0:1.8.1(00100.000*kWh)", "1-0:1.8.2(00002.000*kWh)", "!", "")
    for second, (fault, quarantined) in enumerate((("no_values", 0), ("well", 0))):
        made.process(at(second, "\r\n".join(lines).encode()))
        facts = made.facts(now_s=second + 0.5)
        assert (run_checks(facts).advice.fault, facts.quarantined) == (fault, quarantined)


def test_bytes_are_guessed_only_while_telegrams_are_missing() -> None:
    made = reader()
    made.process(at(0, b"$GPGGA,101010.00,4807.038,N,01131.000,E,1,08,0.9*47\r\n"))
    assert made.facts(now_s=1.0).stream_guess == StreamGuess("gps")
    made.process(at(2, telegram(100)))
    made.process(at(3, b"$GPGGA,101010.00,4807.038,N,01131.000,E,1,08,0.9*47\r\n"))
    assert made.facts(now_s=4.0).stream_guess is None
    assert made.facts(now_s=28.0).stream_guess == StreamGuess("gps")


def test_bytes_of_a_probed_port_are_guessed() -> None:
    made = reader()
    made.source.state = SourceState(
        "/dev/ttyUSB0", is_open=False, problem="noise", probe=ReceivedWhileProbing(b"\0" * 700, 700, 5.0)
    )
    facts = made.facts(now_s=1.0)
    assert (facts.byte_count, facts.stream_guess) == (700, StreamGuess("flat", {"byte": "00", "percent": "100"}))
    assert run_checks(facts).failed_check == "signal"


@pytest.mark.parametrize(("data", "fault"), [(4, "trickle"), (5, "noise"), (900, "noise"), (901, "no_pause")])
def test_bytes_slower_or_faster_than_a_meter_sends_are_stray_light(data: int, fault: str) -> None:
    made = reader()
    for second in range(25):
        made.process(at(float(second), b"\x3c\xe7\x99" * (data // 3) + b"\xf0" * (data % 3)))
        if second < 20:
            assert run_checks(made.facts(now_s=float(second))).advice.fault == "noise"
    assert run_checks(made.facts(now_s=25.0)).advice.fault == fault
    made.process(at(25, telegram(100)))
    assert run_checks(made.facts(now_s=25.0)).failed_check is None


def test_errors_of_the_driver_are_counted_for_five_minutes() -> None:
    made = reader()

    def told(now_s: float) -> tuple[int | None, int | None]:
        recent = made.facts(now_s=now_s).last_5min
        assert recent
        return recent.framing, recent.overruns

    assert told(0.0) == (None, None)
    for second in (0, 1, 200):
        made.process(structs.replace(at(second, telegram(100 + second)), errors=LineErrors(framing=second, overruns=1)))
    assert (told(200.0), told(400.0)) == ((201, 3), (200, 1))


def test_rate_and_driver_errors_of_a_probed_port() -> None:
    made = reader()
    for heard, fault in (
        (ReceivedWhileProbing(b"\x3c\xe7" * 30, 60, 60.0), "trickle"),
        (ReceivedWhileProbing(b"\x3c\xe7" * 30, 60, 5.0, LineErrors()), "noise"),
        (ReceivedWhileProbing(b"\x3c\xe7" * 30, 60, 5.0, LineErrors(framing=3)), "framing"),
    ):
        details = {"port": "/dev/ttyUSB0", "bytes": "60"}
        made.source.state = SourceState("/dev/ttyUSB0", is_open=False, problem="noise", details=details, probe=heard)
        assert run_checks(made.facts(now_s=1.0)).advice.fault == fault


def test_a_wrong_clock_is_in_the_facts() -> None:
    clock = Clock(wall_s=lambda: 100.0, boot_s=lambda: 60.0)
    facts = Reader(source=Given(), decoder=SmlDecoder(), guard=Guard(), hub=Hub(), clock=clock).facts()
    assert facts.clock_time is not None
    assert (facts.clock_problem, facts.clock_time.timestamp()) == ("unset", 100.0)
    assert reader().facts().clock_problem is None


def test_a_meter_without_2_8_0_is_import_only() -> None:
    assert reader(telegram(100)).facts(now_s=1.0).is_import_only


def test_recent_bytes_are_the_last_8_to_16_kb() -> None:
    parts = [bytes([number]) * 3000 for number in range(20)]
    recent = reader(*parts).recent_bytes
    assert b"".join(parts).endswith(recent)
    assert RECENT_BYTES <= len(recent) <= 2 * RECENT_BYTES
    assert reader(b"abc").recent_bytes == b"abc"


def test_recent_bytes_of_a_polled_meter_always_have_its_last_whole_list() -> None:
    """A full list of an MT174 has 9,522 bytes."""
    reception, before = Reception(), b""
    for number in range(10):
        part = bytes([number]) * 9522
        for data in telegrams.chunks(part, 256):
            reception.count_chunk(Chunk(data, datetime.now(UTC), 0.0, results=()))
            assert before in reception.recent_bytes
        before = part
    assert len(reception.recent_bytes) <= 2 * POLLED_BYTES


def beat(pulse: PauseDetector, now_s: float, ran_s: float) -> None:
    """The beats of a process that has run for `ran_s` until now."""
    for count in range(int(ran_s / BEAT_S), -1, -1):
        pulse.beat(now_s - count * BEAT_S)


def test_telegrams_buffered_during_a_pause_get_their_time_from_the_meters_seconds() -> None:
    pulse, hub = PauseDetector(), Hub()
    made = Reader(source=Given(), decoder=SmlDecoder(), guard=Guard(), hub=hub, pauses=pulse)
    when, seen, waits_s = datetime(2026, 11, 22, 10, tzinfo=UTC), [], []
    for second in range(60):
        # from the twentieth second on it is stopped, for forty seconds
        at_s = 1000.0 + (second if second < 20 else 60)
        beat(pulse, at_s, ran_s=0.5 if second != 20 else 0.0)
        data = telegrams.telegram(telegrams.meter_entries(energy=100 + second), seconds=1000 + second)
        made.process(Chunk(data, when + timedelta(seconds=at_s), at_s))
        sample = hub.newest[METER_ID]
        seen.append((sample.monotonic_s, (sample.received_at - when).total_seconds(), sample.is_dated))
        waits_s.append(sample.waited_s)
    assert seen[:57] == [(1000.0 + second, 1000.0 + second, True) for second in range(57)]
    # beside that, no longer than the meter's seconds leave open
    assert waits_s == [0.0] * 20 + [min(second - 19.0, ACCURACY_S) for second in range(20, 57)] + [ACCURACY_S] * 3


def test_without_the_meters_seconds_buffered_telegrams_get_the_earliest_time_and_are_not_dated() -> None:
    pulse, hub = PauseDetector(), Hub()
    made = Reader(source=Given(), decoder=SmlDecoder(), guard=Guard(), hub=hub, pauses=pulse)
    when, absent = datetime(2026, 11, 22, 10, tzinfo=UTC), tlv.ABSENT
    for at_s, ran_s in ((10.0, 1.0), (11.0, 0.5), (60.0, 0.0), (63.0, 2.5)):
        beat(pulse, at_s, ran_s)
        data = telegrams.telegram(telegrams.meter_entries(energy=int(at_s)), sensor_time=absent)
        made.process(Chunk(data, when + timedelta(seconds=at_s), at_s))
        sample = hub.newest[METER_ID]
        assert (sample.monotonic_s, sample.is_dated) == ((11.0, False) if at_s == 60.0 else (at_s, True))
        assert sample.waited_s == 0.0


def test_a_telegram_whose_rest_is_late_has_ended() -> None:
    frames = [
        b"\x7e\xa8" + frame for frame in encoder_dlms.hdlc(pushes.apdu(pushes.tagged()), 60).split(b"\x7e\xa8")[1:]
    ]
    made = Reader(source=Given(), decoder=DetectingDecoder(), guard=Guard(), hub=Hub())
    made.process(at(0, b"".join(frames)))
    assert made.facts(now_s=0.0).telegrams == 1
    # the rest comes in time, and then too late: HDLC numbers no segments
    made.process(at(1, b"".join(frames[:3])))
    made.process(at(1.9, b"".join(frames[3:])))
    assert (made.facts(now_s=2.0).telegrams, made.facts(now_s=2.0).faults) == (2, {})
    made.process(at(3, b"".join(frames[:3])))
    made.process(at(5, b"".join(frames[3:])))
    facts = made.facts(now_s=5.0)
    # the three frames that waited, and each of the two without a beginning
    assert (facts.telegrams, facts.faults["cut"]) == (2, 3)


def test_a_telegram_whose_rest_waited_for_this_process_has_not_ended() -> None:
    frames = [
        b"\x7e\xa8" + frame for frame in encoder_dlms.hdlc(pushes.apdu(pushes.tagged()), 60).split(b"\x7e\xa8")[1:]
    ]
    detector = PauseDetector()
    made = Reader(source=Given(), decoder=DetectingDecoder(), guard=Guard(), hub=Hub(), pauses=detector)
    made.process(at(0, b"".join(frames)))
    detector.beat(1)
    made.process(at(1, b"".join(frames[:3])))
    made.process(at(3, b"".join(frames[3:])))
    assert (made.facts(now_s=3.0).telegrams, made.facts(now_s=3.0).faults) == (2, {})


def test_the_protocol_is_known_before_anything_can_be_read() -> None:
    made = Reader(source=Given(), decoder=DetectingDecoder(), guard=Guard(), hub=Hub(), has_key=True)
    assert made.facts(now_s=0.0).protocol == ""
    made.process(at(0, encoder_dlms.hdlc(pushes.apdu(pushes.unknown()))))
    facts = made.facts(now_s=0.0)
    assert (facts.protocol, facts.telegrams, facts.has_key) == ("dlms", 0, True)
    assert facts.last_unreadable is not None
    assert (facts.last_unreadable.kind, facts.last_unreadable.meter_id) == ("layout", pushes.METER_ID)
    assert len(facts.last_unreadable.elements) == 5


def test_energies_and_powers_are_multiplied_by_the_transformer_factor() -> None:
    hub = Hub()
    reader(telegram(100, power=-20), hub=hub, factor=12.5)
    (sample,) = hub.newest.values()
    assert sample.factor == Decimal("12.5")
    assert {register.obis.short: register.value for register in sample.reading.numbers()} == {
        "1-0:1.8.0": Decimal("125.00"),
        "1-0:16.7.0": Decimal("-250.0"),
    }


def test_power_alone_waits_for_the_list_that_names_its_meter() -> None:
    named = encoder_dlms.hdlc(pushes.apdu(pushes.tagged()))
    (power,) = (row for row in pushes.VALUES if row[0].endswith(":1.7.0"))
    nameless = encoder_dlms.hdlc(pushes.apdu(encoder_dlms.structure(*pushes.tagged([power]).items[1:])))
    hub = Hub()
    reader(nameless, nameless, nameless, nameless, named, nameless, hub=hub, decoder=DetectingDecoder())
    assert list(hub.newest) == [pushes.METER_ID]


def test_a_meter_that_only_names_its_model_is_known_by_its_port() -> None:
    hub, data = Hub(), texts.d0_readout(["1.8.0(0000001.000*kWh)"])
    made = reader(data, hub=hub, decoder=D0Decoder())
    assert made.meter_id == "ISK MT174-0099 at given"
    assert list(hub.newest) == [made.meter_id]
