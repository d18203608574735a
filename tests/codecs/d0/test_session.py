import json
import random
import re
from decimal import Decimal
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import texts
from d0meter import World, answers, meter
from iskra_server.codecs.conversation import Send
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.d0.session import D0Session
from iskra_server.codecs.d0.speeds import Learned
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity
from iskra_server.meter.reading import Fault, Reading
from iskra_server.simulator.d0_meter import D0Meter
from trying import seeds, tries

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "d0"
REGISTERS = {"1.8.0": "(0008048.376*kWh)", "2.8.0": "(0000013.465*kWh)", "1.7.0": "(0.910*kW)"}
# all that may ever stand on the line
ALLOWED = re.compile(
    rb"/\?[0-9A-Za-z ]*!\r\n|\x060[0-6][01]\r\n|\x01R1\x02\d+\.\d+\.\d+\(\)\x03.|\x01B0\x03q|\x06|\x15", re.DOTALL
)


def world(asked: D0Meter | None = None, *, echo: bool = False, adapter_s: float = 0.0, **options: object) -> World:
    session = D0Session(0.0, **options)  # type: ignore[arg-type]
    return World(session, [asked or meter()], echo=echo, adapter_s=adapter_s)


def session_of(here: World) -> D0Session:
    assert isinstance(here.session, D0Session)
    return here.session


def test_blocks_without_end_are_not_acknowledged_for_ever() -> None:
    """A readout has 32 kB at most; neither is what follows taken for a readout of its own."""
    lines = [*texts.d0_lines(), *(f"1.6.{number % 60 + 1}(000.{number:03}*kW)" for number in range(3000))]
    asked = meter(lines=lines, blocks=1000)
    here = world(asked)
    here.run(200, lambda: bool(here.results))
    (fault,) = here.results
    assert isinstance(fault, Fault) and fault.kind == "oversize"
    acknowledged = here.sent.count(encoder.ACK)
    here.run(here.now_s + 1.9)
    assert 100 < here.sent.count(encoder.ACK) == acknowledged < 900
    assert here.readings() == []


@pytest.mark.parametrize("echo", [False, True])
def test_a_meter_of_mode_c_is_read_at_its_speed(echo: bool) -> None:
    here = world(echo=echo)
    here.run(9)
    (reading,) = here.results
    assert isinstance(reading, Reading)
    assert (reading.meter_id, texts.value(reading, "1.8.0")) == ("1 ISK 00 63000199", texts.wh(8048375))
    assert here.sent == [b"/?!\r\n", b"\x06050\r\n"]
    # 200 ms for the acknowledgement, and 50 ms more
    (_, start), (switched_s, fast), (_, back) = here.speeds
    assert (start, fast, back) == (300, 9600, 300)
    assert session_of(here).learned == Learned("5", 0.05)
    assert switched_s == pytest.approx(0.167 + 0.2 + 17 / 30 + 0.2 + 0.05, abs=0.005)


def test_what_is_sent_has_even_parity_and_is_all_that_a_meter_needs_to_see() -> None:
    session = D0Session(0.0)
    (speed, send) = session.due(0.0)
    assert isinstance(send, Send) and send.data.hex() == "af3f218d0a"
    assert speed != send


@pytest.mark.parametrize(
    ("ident", "sent", "speeds"),
    [
        # A: the readout follows by itself
        ("ABC9x", [b"/?!\r\n"], [300]),
        ("ABC:x", [b"/?!\r\n"], [300]),
        # B: the meter switches by itself; A is 600
        ("ABCAx", [b"/?!\r\n"], [300, 600, 300]),
        ("ABCCx", [b"/?!\r\n"], [300, 2400, 300]),
        # C
        ("ABC0x", [b"/?!\r\n", b"\x06000\r\n"], [300]),
        ("ABC4x", [b"/?!\r\n", b"\x06040\r\n"], [300, 4800, 300]),
        ("ABC6x", [b"/?!\r\n", b"\x06060\r\n"], [300, 19200, 300]),
        # E: HDLC is never asked for
        (r"ABC5\2x", [b"/?!\r\n", b"\x06050\r\n"], [300, 9600, 300]),
    ],
)
def test_modes(ident: str, sent: list[bytes], speeds: list[int]) -> None:
    here = world(meter(ident, lines=["1.8.0(1*kWh)"]), interval_s=60)
    here.run(30)
    assert len(here.readings()) == 1
    assert (here.sent, [baud for _, baud in here.speeds]) == (sent, speeds)


def test_an_adapter_that_is_slow_to_send_is_learnt() -> None:
    here = world(meter("ABC5x", gap_s=0.3), adapter_s=0.12, interval_s=30)
    here.run(400, enough=lambda: bool(here.results) and session_of(here).learned is not None)
    assert session_of(here).learned == Learned("5", 0.2)
    before = here.now_s
    here.run(before + 40)
    # it begins with what has worked: no attempt fails any more
    assert len(here.readings()) >= 2
    assert here.sent.count(b"/?!\r\n") <= 6


def test_what_was_learnt_before_is_tried_first() -> None:
    here = world(meter(gap_s=0.3), adapter_s=0.12, learned=Learned("5", 0.2))
    here.run(9)
    assert len(here.readings()) == 1 and here.sent == [b"/?!\r\n", b"\x06050\r\n"]


def test_no_delay_works_so_the_speed_is_lowered_and_at_last_left_alone() -> None:
    here = world(meter(lines=["1.8.0(1*kWh)"], gap_s=0.25), adapter_s=0.6)
    here.run(300, enough=lambda: bool(here.readings()))
    assert len(here.readings()) == 1
    assert [message for message in here.sent if message != b"/?!\r\n"] == [b"\x06050\r\n"] * 4 + [b"\x06040\r\n"]
    assert session_of(here).learned == Learned("")


def test_an_attempt_begins_behind_two_seconds_of_silence() -> None:
    here = world(meter(lines=["1.8.0(1*kWh)"], gap_s=0.25), adapter_s=0.6)
    here.run(300, enough=lambda: bool(here.readings()))
    requests = [at_s for at_s, message in zip(here.sent_s, here.sent, strict=True) if message == b"/?!\r\n"]
    assert len(requests) == 6
    for at_s in requests[1:]:
        assert at_s - max(time_s for time_s in here.byte_times_s if time_s <= at_s) >= 1.99


def test_a_line_that_cannot_change_its_speed_is_read_at_its_own() -> None:
    here = world(meter(lines=["1.8.0(1*kWh)"]), can_switch=False)
    here.run(9)
    assert len(here.readings()) == 1
    assert (here.sent, [baud for _, baud in here.speeds]) == ([b"/?!\r\n"], [300])


def test_blocks_are_acknowledged_and_asked_for_again() -> None:
    here = world(meter(blocks=4))
    here.run(9)
    assert len(here.readings()) == 1 and here.sent[2:] == [b"\x06"] * 3

    asked = meter(blocks=4)
    spoilt = iter((False, True, False, True, False, False, False))
    asked.damage = lambda data: (
        bytes((*data[:-9], data[-9] ^ 1, *data[-8:])) if len(data) > 60 and next(spoilt) else data
    )
    here = world(asked)
    here.run(12)
    assert [each.registers for each in here.readings()] == [texts.readings(_pushed())[0].registers]
    assert here.sent[2:] == [b"\x06", b"\x15", b"\x06", b"\x15", b"\x06"] or here.sent.count(b"\x15") == 2


def _pushed() -> list[Reading | Fault]:
    here = world()
    here.run(9)
    return here.results


def test_silence_is_silence() -> None:
    here = World(D0Session(0.0), [])
    here.run(60)
    assert (here.results, session_of(here).outcome) == ([], "silent")
    here = World(D0Session(0.0), [], echo=True)
    here.run(60)
    assert (here.results, session_of(here).outcome) == ([], "echo")


def test_a_meter_that_does_not_answer_is_asked_less_and_less() -> None:
    here = World(D0Session(0.0), [])
    here.run(4000)
    # after 5 s, 10 s, 20 s, ... 600 s
    assert here.sent == [b"/?!\r\n"] * len(here.sent)
    assert 10 <= len(here.sent) <= 14


@pytest.mark.parametrize("interval_s", [None, 60.0, 900.0])
@pytest.mark.parametrize("missed", [1, 2, 3])
def test_after_a_missing_answer_it_is_asked_again_soon(interval_s: float | None, missed: int) -> None:
    here = world(meter("ABC5x"), interval_s=interval_s)
    requests, write = count(1), here.wire.write

    def lose(data: bytes, now_s: float) -> None:
        """The third request, and those that follow it."""
        if data.translate(SEVEN_BITS) != b"/?!\r\n" or not 3 <= next(requests) < 3 + missed:
            write(data, now_s)

    here.wire.write = lose  # type: ignore[method-assign]
    usual_s = interval_s or 10.0
    here.run(5 * usual_s + 60)
    times = [at_s for at_s, sent in zip(here.sent_s, here.sent, strict=True) if sent == b"/?!\r\n"]
    waits = [after - before for before, after in pairwise(times)]
    # a retry may begin with the end of an open session, which takes 3 s; the third failure doubles the interval
    longest_s = (usual_s, usual_s, 2 * usual_s)
    soon = [pytest.approx(min(5.0 * 2**k, longest_s[k]), abs=3.5) for k in range(missed)]
    assert waits[: 2 + missed] == [pytest.approx(usual_s, abs=0.1)] * 2 + soon
    assert len(here.readings()) == len(times) - missed
    # a reading stays current for as long as before
    assert session_of(here).planned_s == usual_s


def test_a_meter_that_has_fallen_silent_is_asked_a_few_times_more_in_an_hour() -> None:
    """Its battery bears them: they are half as many again."""
    for interval_s, most in ((10.0, 12), (60.0, 12), (900.0, 13)):
        here = World(D0Session(0.0, interval_s=interval_s), [])
        here.run(3600)
        assert len(here.sent) <= most


def test_how_often_it_is_asked_follows_from_the_length_of_the_list() -> None:
    short = world(meter("ABC5x"))
    short.run(101)
    assert short.sent.count(b"/?!\r\n") == 11
    history = [f"1.8.0*{k:02}(0008048.375*kWh)" for k in range(1, 99)]
    long = world(meter("ABC5x", lines=texts.d0_lines() + history))
    long.run(130)
    assert long.sent.count(b"/?!\r\n") == 3
    wanted = world(meter("ABC5x"), interval_s=30)
    wanted.run(91)
    assert wanted.sent.count(b"/?!\r\n") == 4
    slow = world(meter("ABC5x", lines=texts.d0_lines() + history), can_switch=False)
    slow.run(300)
    # a list of 100 s is not asked for before another 100 s
    assert slow.sent.count(b"/?!\r\n") == 2


def test_several_meters_of_a_line_have_addresses() -> None:
    meters = [meter("ABC5x", lines=[f"C.1.0({k})", "1.8.0(1*kWh)"], address=k) for k in ("11111111", "22222222")]
    for wanted, asked in zip(("11111111", "22222222"), meters, strict=True):
        here = World(D0Session(0.0, address=wanted), meters)
        here.run(9)
        assert [each.meter_id for each in here.readings()] == [f"ABC {wanted}"]
        assert here.sent[0] == f"/?{wanted}!\r\n".encode() and asked.received


def test_a_meter_that_speaks_pushed_readouts_is_never_asked_again() -> None:
    session = D0Session(0.0)
    here = World(session, [])
    here.run(4)
    pushed = with_parity(encoder.pushed("EBZ5DD3", texts.d0_lines()))
    found = texts.readings([*session.feed(pushed, 4.0), *session.feed(pushed, 5.0)])
    assert len(found) == 2 and session.outcome == "pushed"
    here.now_s = 5.0
    here.run(5000)
    assert here.sent == [b"/?!\r\n"]
    assert len(texts.readings(session.feed(pushed, 5001.0))) == 1


def test_registers_are_read_one_by_one() -> None:
    asked = meter(registers=dict(REGISTERS))
    here = world(asked)
    here.run(15)
    asked.register = answers(REGISTERS | {"1.8.0": "(0008048.377*kWh)"})
    here.run(60)
    first, *later = here.readings()
    assert len(later) > 15
    assert {each.meter_id for each in later} == {first.meter_id}
    assert texts.value(later[0], "1.8.0") == texts.wh(8048376) and texts.value(later[-1], "1.8.0") == texts.wh(8048377)
    assert texts.value(later[0], "1.7.0") == (Decimal(910), "W")
    codes = [message[4:-4] for message in here.sent if message.startswith(b"\x01R1")]
    # what is not to be had alone is asked once
    assert codes.count(b"32.7.0") == 1 and codes.count(b"1.8.0") == len(later)
    assert here.session.close() == with_parity(encoder.BREAK)


def test_a_session_in_programming_mode_that_breaks_off_begins_again_with_a_readout() -> None:
    asked = meter(registers=dict(REGISTERS))
    here = world(asked)
    here.run(25)
    asked.is_programming, asked.baud = False, 300
    here.run(60)
    sent = here.sent[here.sent.index(encoder.BREAK) :]
    assert sent[:3] == [encoder.BREAK, b"/?!\r\n", b"\x06050\r\n"]
    assert b"\x06051\r\n" in sent


@pytest.mark.parametrize(
    "registers",
    [
        None,
        dict.fromkeys(REGISTERS, "(ERROR)"),
        REGISTERS | {"1.8.0": "(0009048.376*kWh)"},
        REGISTERS | {"1.8.0": "(0008048.374*kWh)"},
        REGISTERS | {"1.8.0": "(00080483.76*kWh)"},
    ],
)
def test_registers_that_cannot_be_right_are_left_alone(registers: dict[str, str] | None) -> None:
    here = world(meter(registers=registers))
    here.run(200)
    assert here.sent.count(b"\x06051\r\n") == 1
    assert len(here.readings()) > 10
    assert {texts.value(each, "1.8.0") for each in here.readings()} == {texts.wh(8048375)}


def test_other_models_are_never_asked_for_registers() -> None:
    here = world(meter("ISk5MT171-0099", registers=dict(REGISTERS)))
    here.run(100)
    assert set(here.sent) == {b"/?!\r\n", b"\x06050\r\n"}


def test_a_meter_that_was_left_in_programming_mode_is_called_back() -> None:
    asked = meter(registers=dict(REGISTERS))
    asked.is_programming, asked.baud, asked.touched_s = True, 9600, 1e9
    here = world(asked, learned=Learned("5", 0.05))
    here.run(40)
    assert here.sent[:4] == [b"/?!\r\n", encoder.BREAK, b"/?!\r\n", b"\x06050\r\n"]
    assert here.readings()
    # of a port on which nothing has ever worked nothing is known
    here = World(D0Session(0.0), [])
    here.run(100)
    assert encoder.BREAK not in here.sent


def test_every_way_out_ends_what_is_open() -> None:
    """Closed at any moment: B0 between an identification and the end, and nothing where nothing is open."""
    for fifth in range(125):
        asked = meter(registers=dict(REGISTERS))
        here = world(asked)
        here.run(fifth / 5)
        last = here.session.close()
        assert last in (b"", with_parity(encoder.BREAK))
        if asked.is_programming:
            assert last
        assert list(here.session.due(1e6)) == []
        assert here.session.wakes_at_s == float("inf")


def test_lost_and_broken_characters_never_give_a_wrong_value_nor_an_end() -> None:
    expected = {texts.wh(8048375), texts.wh(8048376)}
    for seed in seeds(30):
        chance = random.Random(seed)
        asked = meter(gap_s=chance.choice((0.05, 0.2)), blocks=chance.choice((1, 3)), registers=dict(REGISTERS))
        asked.damage = lambda data, chance=chance: _spoilt(data, chance)  # type: ignore[misc]
        here = world(asked, echo=chance.random() < 0.5, interval_s=10)
        here.run(150)
        asked.damage = lambda data: data
        before = len(here.readings())
        while len(here.readings()) == before and here.now_s < 900:
            here.run(here.now_s + 5)
        assert {texts.value(each, "1.8.0") for each in here.readings()} <= expected, seed
        assert len(here.readings()) > before, seed
        assert all(ALLOWED.fullmatch(message) for message in here.sent), here.sent


def _spoilt(data: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(chance.choice((0, 0, 1, 1, 3))):
        at = chance.randrange(len(spoilt)) if spoilt else 0
        match chance.randrange(3):
            case 0 if spoilt:
                spoilt[at] ^= 1 << chance.randrange(8)
            case 1:
                del spoilt[at : at + chance.choice((1, 1, 20))]
            case _:
                spoilt[at:at] = chance.randbytes(3)
    return bytes(spoilt) or b"\0"


HOSTILE = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            encoder.identification(texts.D0_IDENT), encoder.identification("ABC9x"), texts.d0_readout(),
            encoder.command("P0", "()"), encoder.command("R1", "1.8.0()"), encoder.block("(0008048.376*kWh)"),
            encoder.block("1.8.0(1*kWh)", is_last=False), encoder.pushed("ABC5x", ["1.8.0(1*kWh)"]), b"/?!\r\n",
            b"\x06050\r\n", encoder.BREAK,
        ]
    ),
)  # fmt: skip


@tries(0.7)
@given(st.lists(st.tuples(HOSTILE, st.floats(0, 8)), max_size=40))
def test_whatever_is_heard_nothing_else_is_ever_sent(heard: list[tuple[bytes, float]]) -> None:
    session, now_s, sent = D0Session(0.0, learned=Learned("5")), 0.0, []
    for data, pause_s in heard:
        for step in session.due(now_s):
            if isinstance(step, Send):
                sent.append(step.data.translate(SEVEN_BITS))
        assert all(isinstance(result, Reading | Fault) for result in session.feed(data, now_s))
        assert session.pending <= 33_000
        assert session.wakes_at_s >= now_s - 1e-6 or list(session.due(now_s)) is not None
        now_s += pause_s
    assert all(ALLOWED.fullmatch(message) for message in sent), sent


@pytest.mark.skipif(not CAPTURES.exists(), reason=f"the captures are not in {CAPTURES}")
def test_the_dialogue_of_a_real_me162() -> None:
    """What was heard is played back; what is said must be what was said then."""
    dialogue = json.loads((CAPTURES / "ISKRA_ME162-0033_dialog.json").read_text())
    session, now_s, results = D0Session(0.0), 0.0, []
    said: list[bytes] = []

    for turn in dialogue[1:]:
        data = bytes.fromhex(turn["hex"])
        if turn["dir"] == "meter->host":
            now_s += 0.4
            results += list(session.feed(with_parity(data), now_s))
        elif data != encoder.BREAK:
            # B0 before a readout: a session that knows nothing of the port does not begin with it
            while data not in said:
                now_s = max(now_s, session.wakes_at_s)
                said.extend(step.data.translate(SEVEN_BITS) for step in session.due(now_s) if isinstance(step, Send))
                assert now_s < 60
            said.clear()
    assert [texts.value(each, "1.8.0") for each in texts.readings(results)] == [texts.wh(33402264)] * 2
