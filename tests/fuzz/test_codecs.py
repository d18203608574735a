"""Every codec, and the conversation with a D0 meter, with bytes and times that nothing good has sent."""

import re
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pushes
import telegrams
import texts
from iskra_server.codecs.conversation import Send, Speed
from iskra_server.codecs.d0 import encoder as d0_encoder
from iskra_server.codecs.d0.session import D0Session
from iskra_server.codecs.d0.speeds import Learned
from iskra_server.codecs.decoder import DECODERS, Decoder, detect
from iskra_server.codecs.dlms import encoder as dlms_encoder
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.text.parity import SEVEN_BITS
from iskra_server.meter.reading import Fault, Reading
from trying import tries

pytest.importorskip("cryptography")

GOOD = {
    "sml": telegrams.telegram(),
    "p1": texts.p1_telegram(),
    "d0": texts.d0_readout(),
    "dlms": dlms_encoder.hdlc(pushes.sealed(pushes.tagged())),
}
# what begins, ends and counts in one of the protocols
MARKS = [
    *(
        b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01",
        b"\x1b\x1b\x1b\x1b\x1a",
        b"/ISK5x\r\n",
        b"\r\n!",
        b"!FFFF\r\n",
        b"\x02",
        b"\x03",
    ),
    *(
        b"\x7e\xa0",
        b"\x7e\xa8",
        b"\x68\x40\x40\x68",
        b"\xe6\xe7\x00",
        b"\x0f\0\0\0\0\0",
        b"\xdb\x08ISK",
        b"\x02\x82\xff",
    ),
]
# the longest thing that a decoder waits for, and as much again
MAX_PENDING = 66_000
MESSAGES = re.compile(rb"/\?!\r\n|\x060[0-6][01]\r\n|\x01R1\x02[0-9.]+\(\)\x03.|\x01B0\x03q|[\x06\x15]", re.DOTALL)


def decoder_of(protocol: str) -> Decoder:
    return DlmsDecoder(pushes.KEYS) if protocol == "dlms" else DECODERS[protocol]()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A telegram of any protocol to which something has happened, more than once."""
    data = bytearray(draw(st.sampled_from(list(GOOD.values()))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 12))] = draw(st.one_of(st.sampled_from(MARKS), st.binary(max_size=12)))
    return bytes(data)


streams = st.lists(st.one_of(st.binary(max_size=400), damaged(), st.sampled_from(MARKS)), max_size=8).map(b"".join)


@pytest.mark.parametrize("protocol", DECODERS)
def test_any_bytes_are_readings_or_faults_and_the_good_telegram_behind_them_is_read(protocol: str) -> None:
    wanted = [result for result in decoder_of(protocol).feed(GOOD[protocol]) if isinstance(result, Reading)]

    @tries(0.5)
    @given(streams, st.integers(1, 700))
    def decode(stream: bytes, chunk: int) -> None:
        decoder = decoder_of(protocol)
        found = texts.decode(decoder, stream, chunk)
        assert all(isinstance(result, Reading | Fault) for result in found)
        assert decoder.pending <= MAX_PENDING
        # what was cut may claim bytes of the first one, and a counter may not come again; of a D0 readout whose eight
        # bits of block check fit by chance, three that agree are needed to make its numbers forgotten (widths.py)
        behind = texts.decode(decoder, GOOD[protocol] * 4, chunk)
        registers = [result.registers for result in (*found, *behind) if isinstance(result, Reading)]
        assert wanted[0].registers in registers

    decode()


@pytest.mark.parametrize("protocol", DECODERS)
def test_marks_without_end_cost_linear_time(protocol: str) -> None:
    """Eight times the bytes, at most some 24 times the CPU time; a little is always allowed."""
    for mark in (*MARKS, b"".join(MARKS)):
        few_s, many_s = (texts.cpu_seconds(decoder_of(protocol), mark, kilobytes * 1024) for kilobytes in (8, 64))
        assert many_s < 24 * few_s + 0.2, mark


@tries(0.3)
@given(streams)
def test_the_protocol_of_any_bytes(stream: bytes) -> None:
    assert detect(stream) in (None, *DECODERS)


heard = st.one_of(
    st.binary(max_size=60),
    damaged(),
    st.sampled_from(MARKS),
    st.sampled_from(
        [
            d0_encoder.identification(texts.D0_IDENT),
            d0_encoder.identification("ABC9x"),
            d0_encoder.identification("ABCBx"),
            texts.d0_readout(),
            d0_encoder.command("P0", "()"),
            d0_encoder.block("(0008048.376*kWh)"),
            d0_encoder.block("1.8.0(1*kWh)", is_last=False),
            d0_encoder.request(),
        ]
    ),
)
# a computer that slept, a clock that stands
pauses = st.one_of(st.floats(0, 4), st.sampled_from([0.0, 1e-9, 1.5, 86_400.0, 1e9]))


@tries(0.7)
@given(
    st.lists(st.tuples(heard, pauses), max_size=30),
    st.sampled_from([None, Learned(""), Learned("5"), Learned("0", 9.0)]),
    st.booleans(),
    st.sampled_from([None, 0.1, 1e6]),
)
def test_a_conversation_with_anything(
    events: list[tuple[bytes, float]], learned: Learned | None, can_switch: bool, interval_s: float | None
) -> None:
    """It sends what a meter may be asked, at speeds that a meter has; it goes on; and it ends with B0 or nothing."""
    session = D0Session(0.0, learned=learned, can_switch=can_switch, interval_s=interval_s)
    now_s = 0.0
    for data, pause_s in events:
        for step in session.due(now_s):
            if isinstance(step, Speed):
                assert step.baud in {300 << n for n in range(7)} and (can_switch or step.baud == 300)
            else:
                assert isinstance(step, Send) and MESSAGES.fullmatch(step.data.translate(SEVEN_BITS))
        assert all(isinstance(result, Reading | Fault) for result in session.feed(data, now_s))
        assert session.pending <= MAX_PENDING
        list(session.due(now_s))
        assert now_s < session.wakes_at_s < inf
        now_s += pause_s
    assert session.close().translate(SEVEN_BITS) in (b"", d0_encoder.BREAK)
    assert list(session.due(now_s + 1e6)) == []
