"""What the owner of a meter is told, from the bytes that arrive: real decoders and readers, every protocol."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

import pushes
import telegrams
import texts
from iskra_server.codecs.d0 import encoder as d0
from iskra_server.codecs.decoder import DECODERS, Decoder
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.codecs.dlms import encoder as dlms
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.dlms.security import Keys
from iskra_server.codecs.p1 import encoder as p1
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.codecs.text.parity import with_parity
from iskra_server.diagnosis.status import Status, run_checks
from iskra_server.meter.guard import Guard
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.sources.source import Chunk, LineSettings, ReceivedWhileProbing, SourceState

PORT = "/dev/ttyUSB0"
START = datetime(2026, 11, 22, 10, tzinfo=UTC)
INTERVAL_S = 10
P1_LINES = texts.p1_lines()
P1 = texts.p1_telegram()
READOUT = texts.d0_readout()
PUSHED = with_parity(d0.pushed(texts.D0_IDENT, texts.d0_lines()))
LIST = dlms.hdlc(pushes.apdu(pushes.tagged()))
# as an MT171 and an ME162 send them
WHOLE_KWH = texts.d0_readout([f"C.1.0({texts.D0_SERIAL})", "1.8.0(024562 kWh)"], "ISk5MT171-0099")
COUNTERS = texts.d0_readout([f"C.1.0({texts.D0_SERIAL})", "1.8.0(0033402.264*kWh)", "2.8.0(0000013.465*kWh)"])


class Port:
    """A port on which chunks arrive at an interval."""

    simulated = False

    def __init__(self, chunks: Iterable[bytes], url: str, interval_s: int) -> None:
        self.url = url
        self.state = SourceState(PORT, is_open=True)
        self._chunks = chunks
        self._interval_s = interval_s

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        for number, data in enumerate(self._chunks):
            at_s = number * self._interval_s
            yield Chunk(data, START + timedelta(seconds=at_s), float(at_s))


def told(
    protocol: str,
    *chunks: bytes,
    url: str = PORT,
    after_s: float = 1.0,
    interval_s: int = INTERVAL_S,
    problem: str | None = None,
    line: str = "9600 8N1",
    poll: str = "",
    port: str = PORT,
    probe: bytes = b"",
    is_known: bool = True,
    decoder: Decoder | None = None,
    has_key: bool = False,
    has_auth_key: bool = False,
) -> Status:
    """The status `after_s` seconds behind the last chunk. The source says problem, line and outcome of a poll."""
    source = Port(chunks, url, interval_s)
    decoder = decoder or (DECODERS[protocol]() if is_known else DetectingDecoder())
    reader = Reader(
        source=source, decoder=decoder, guard=Guard(), hub=Hub(), has_key=has_key, has_auth_key=has_auth_key
    )
    asyncio.run(reader.run())
    baud, _, form = line.partition(" ")
    source.state = SourceState(
        port,
        is_open=problem is None,
        problem=problem,
        details={"port": port, "bytes": str(len(probe))},
        probe=ReceivedWhileProbing(probe, len(probe), 6.0),
        line=LineSettings(int(baud), form) if line else None,
        protocol=protocol if is_known else "",
        poll=poll,
    )
    return run_checks(reader.facts(now_s=max(0, len(chunks) - 1) * interval_s + after_s))


def check(status: Status, name: str) -> str:
    return next(check.state for check in status.checks if check.name == name)


def notices(status: Status) -> set[str]:
    return {notice.fault for notice in status.notices}


@pytest.mark.parametrize(
    ("protocol", "data", "expected"),
    [
        ("sml", telegrams.telegram(), {"import_only"}),
        ("p1", P1, set()),
        ("p1", with_parity(p1.without_checksum(texts.P1_IDENT, P1_LINES[1:])), set()),
        ("p1", p1.without_checksum(texts.P1_IDENT, P1_LINES[1:]), {"unprotected"}),
        ("d0", READOUT, set()),
        ("d0", PUSHED, set()),
        ("d0", WHOLE_KWH, {"whole_kwh", "no_power", "import_only"}),
        ("d0", COUNTERS, {"no_power"}),
        ("dlms", LIST, set()),
        ("dlms", pushes.apdu(pushes.tagged()) * 3, {"unprotected"}),
    ],
)
def test_a_meter_that_is_read(protocol: str, data: bytes, expected: set[str]) -> None:
    status = told(protocol, data, data, data)
    assert (status.ok, status.failed_check, status.advice.fault) == (True, None, "well")
    # this test does not say which meters have an export register
    assert notices(status) - {"import_only"} == expected - {"import_only"}
    assert check(status, "protocol") == check(status, "telegrams") == check(status, "values") == "passed"
    assert check(status, "unlocked") == ("passed" if protocol == "sml" else "unknown")


def test_a_checksum_that_is_always_0000_is_none() -> None:
    telegram = p1.telegram(texts.P1_IDENT, P1_LINES[1:])[:-6] + b"0000\r\n"
    assert "unprotected" in notices(told("p1", telegram, telegram))


def test_telegrams_that_no_key_proves() -> None:
    """With the encryption key alone the tag cannot be checked."""
    stream = [dlms.hdlc(pushes.sealed(pushes.tagged(), counter)) for counter in (100, 101)]
    for keys, expected in ((Keys(pushes.KEYS.encryption), {"unproved"}), (pushes.KEYS, set())):
        status = told("dlms", *stream, decoder=DlmsDecoder(keys))
        assert (status.ok, notices(status)) == (True, expected)


def sealed(*counters: int) -> list[bytes]:
    """Each with a clock of its own."""
    clocks = (pushes.CLOCK[:7] + bytes((index,)) + pushes.CLOCK[8:] for index in range(len(counters)))
    return [
        dlms.hdlc(pushes.sealed(pushes.tagged(), counter, clock=clock))
        for counter, clock in zip(counters, clocks, strict=True)
    ]


def test_telegrams_without_a_tag_where_an_authentication_key_is_set() -> None:
    untagged = [dlms.hdlc(pushes.sealed(pushes.tagged(), counter, control=0x20)) for counter in (100, 101, 103)]
    status = told("dlms", *untagged, decoder=DlmsDecoder(pushes.KEYS), has_auth_key=True)
    assert (status.ok, notices(status)) == (True, {"no_tag"})
    proved = dlms.hdlc(pushes.sealed(pushes.tagged(), 102))
    status = told("dlms", proved, untagged[2], decoder=DlmsDecoder(pushes.KEYS), has_auth_key=True)
    assert (status.ok, notices(status)) == (True, {"untagged"})


KEYS_AND_TITLE = Keys(pushes.KEYS.encryption, pushes.KEYS.authentication, b"KFM\x10\x20\x01\x02\x03")
AUTHENTIC_BY_ANOTHER = Keys(pushes.KEYS.encryption, bytes(16))


@pytest.mark.parametrize(
    ("keys", "fault", "key"),
    [
        (Keys(), "encrypted", "meters.key"),
        (pushes.OTHER_KEYS, "wrong_key", "meters.key"),
        (Keys(pushes.OTHER_KEYS.encryption), "wrong_key", "meters.key"),
        (AUTHENTIC_BY_ANOTHER, "not_authentic", "meters.auth_key"),
    ],
)
def test_telegrams_that_no_key_opens(keys: Keys, fault: str, key: str) -> None:
    """The system title names the meter before a key is there."""
    status = told("dlms", *sealed(100, 101), decoder=DlmsDecoder(keys))
    assert (status.ok, status.failed_check, status.advice.fault) == (False, "values", fault)
    assert pushes.METER_ID in status.advice.en.sentence and pushes.METER_ID in status.advice.de.sentence
    assert key in str(status.advice.en) and key in str(status.advice.de)
    assert check(status, "telegrams") == "passed"
    assert not {"checksums", "signal"} & {failed.name for failed in status.checks if failed.state == "failed"}


def test_a_key_without_the_system_title_that_the_meter_does_not_send() -> None:
    stream = texts.sealed_p1(["1-0:1.8.0(000336.420*kWh)"], KEYS_AND_TITLE)
    status = told("p1", stream, decoder=P1Decoder(pushes.KEYS), has_key=True)
    assert (status.failed_check, status.advice.fault) == ("values", "untitled")
    assert "meters.system_title" in str(status.advice.en) and "meters.system_title" in str(status.advice.de)


def test_telegrams_with_an_old_counter() -> None:
    status = told("dlms", *sealed(100, 101, 7), decoder=DlmsDecoder(pushes.KEYS))
    assert (status.ok, notices(status), status.advice.fault) == (True, {"replayed"}, "well")


def test_a_list_that_nothing_describes() -> None:
    stream = dlms.hdlc(pushes.apdu(pushes.unknown()))
    status = told("dlms", stream, stream)
    assert (status.ok, status.failed_check, status.advice.fault) == (False, "values", "layout")
    assert f"a list of {len(pushes.unknown().items)} values" in status.advice.en.sentence
    assert status.facts.last_unreadable is not None and len(status.facts.last_unreadable.elements) == 5


def test_a_list_that_nothing_describes_beside_one_that_is_read() -> None:
    """An AM550 sends a list each second, another one each quarter of an hour."""
    status = told("dlms", LIST, dlms.hdlc(pushes.apdu(pushes.unknown())), LIST)
    assert (status.ok, status.advice.fault, notices(status)) == (True, "well", {"layout"})


def test_a_key_that_is_taken_away() -> None:
    status = told("dlms", LIST, LIST, *[sealed(100 + count)[0] for count in range(60)])
    assert (status.ok, status.failed_check, status.advice.fault) == (False, "fresh", "encrypted")


def damaged(data: bytes) -> bytes:
    at = len(data) // 2
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


@pytest.mark.parametrize(
    ("protocol", "data", "fault"),
    [
        ("p1", P1, "p1"),
        ("d0", READOUT, "d0"),
        ("dlms", LIST, "dlms"),
        ("sml", telegrams.telegram(), "no_valid_telegram"),
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_telegrams_that_are_all_damaged(protocol: str, data: bytes, fault: str, is_known: bool) -> None:
    status = told(protocol, *[damaged(data)] * 4, is_known=is_known)
    assert (status.ok, status.failed_check, status.advice.fault) == (False, "telegrams", fault)
    assert check(status, "protocol") == "passed"


@pytest.mark.parametrize(("protocol", "data", "fault"), [("p1", P1, "checksums_cable"), ("d0", READOUT, "checksums")])
def test_some_telegrams_that_are_damaged(protocol: str, data: bytes, fault: str) -> None:
    status = told(protocol, *[damaged(data), data] * 4)
    assert (status.ok, status.advice.fault) == (True, fault)
    assert ("head" in str(status.advice.en)) == (protocol == "d0")


@pytest.mark.parametrize(
    ("protocol", "data", "fault"), [("p1", P1, "fell_silent_cable"), ("d0", PUSHED, "fell_silent")]
)
def test_a_meter_that_falls_silent(protocol: str, data: bytes, fault: str) -> None:
    status = told(protocol, data, data, after_s=500)
    assert (status.ok, status.failed_check, status.advice.fault) == (False, "data", fault)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, "silence_searching"),
        ({"problem": "silence"}, "silence_searching"),
        ({"problem": "silence", "line": "115200 8N1"}, "silence_searching"),
        ({"problem": "silence", "line": "300 8N1"}, "silence_asking"),
        ({"problem": "silence", "line": "9600 8N1", "poll": "silent"}, "silence_asked"),
        ({"problem": "silence", "line": "9600 8N1", "poll": "not_asked"}, "silence_not_asked"),
        ({"problem": "silence", "line": "9600 8N1", "poll": "echo"}, "echo"),
        ({"url": f"{PORT}?baud=9600"}, "silence"),
        ({"url": f"{PORT}?listen_only=1", "problem": "silence"}, "silence_listening"),
        ({"url": f"{PORT}?protocol=d0&baud=9600", "poll": "silent"}, "silence_asked_fixed"),
        ({"url": "tcp://192.0.2.1:4000", "line": ""}, "silence"),
        ({"url": "auto", "problem": "silence"}, "silence_searching"),
        ({"url": "auto", "problem": "silence", "port": "/dev/ttyS0"}, "no_usb_head"),
        ({"url": "auto", "poll": "silent", "port": "/dev/ttyAMA0"}, "no_usb_head"),
        ({"url": "/dev/ttyS0", "problem": "silence", "port": "/dev/ttyS0"}, "silence_searching"),
        ({"protocol": "d0", "url": f"{PORT}?protocol=d0", "line": "300 8N1", "is_known": True}, "silence_asking"),
        ({"protocol": "d0", "url": f"{PORT}?protocol=d0", "poll": "silent", "is_known": True}, "silence_asked"),
    ],
)
def test_a_port_on_which_nothing_has_arrived(changes: dict[str, str | bool], fault: str) -> None:
    status = told(**{"protocol": "sml", "is_known": False} | changes)  # type: ignore[arg-type]
    assert (status.ok, status.failed_check, status.advice.fault) == (False, "data", fault)
    if fault == "silence_searching":
        assert str(changes.get("line", "9600 8N1")) in status.advice.de.sentence


def test_bytes_of_another_speed_while_the_port_is_searched() -> None:
    slow = b"\x00\x78\x80\xf8" * 64
    status = told("sml", problem="noise", probe=slow, line="2400 8E1", is_known=False)
    assert (status.failed_check, status.advice.fault) == ("signal", "speed_searching")
    assert "2400 8E1" in status.sentence


def test_bytes_that_are_no_telegram_while_the_port_is_searched() -> None:
    status = told("sml", problem="noise", probe=b"\x93\x12", line="115200 8N1", is_known=False)
    assert (status.failed_check, status.advice.fault) == ("telegrams", "noise_searching")
    assert "115200 8N1" in status.sentence


@pytest.mark.parametrize(("poll", "fault"), [("echo", "echo"), ("silent", "fell_silent")])
def test_a_meter_that_no_longer_answers(poll: str, fault: str) -> None:
    """The echo of each request still arrives."""
    status = told("d0", READOUT, READOUT, *[d0.request()] * 60, poll=poll, url=f"{PORT}?protocol=d0")
    assert (status.ok, status.failed_check, status.advice.fault) == (False, "data", fault)


@pytest.mark.parametrize("poll", ["echo", "silent"])
def test_a_meter_that_has_never_answered(poll: str) -> None:
    status = told("d0", *[d0.request()] * 3, poll=poll, url=f"{PORT}?protocol=d0")
    assert (status.failed_check, status.advice.fault) == ("data", "echo" if poll == "echo" else "silence_asked")


def test_a_poll_that_fails_once_is_no_fault() -> None:
    assert told("d0", READOUT, READOUT, poll="silent", url=f"{PORT}?protocol=d0").ok


def test_answers_that_are_damaged_at_the_higher_speed() -> None:
    status = told("d0", *[damaged(READOUT)] * 3, poll="damaged", url=f"{PORT}?protocol=d0")
    assert (status.failed_check, status.advice.fault) == ("telegrams", "answers_damaged")
    assert "9600 8N1" in status.sentence
    status = told("d0", *[damaged(READOUT), READOUT] * 3, poll="damaged", url=f"{PORT}?protocol=d0")
    assert (status.ok, status.failed_check, status.advice.fault) == (True, "checksums", "answers_damaged")


def test_the_first_readout_takes_long() -> None:
    status = told("d0", READOUT[:200], line="300 8N1", url=f"{PORT}?protocol=d0")
    assert (status.failed_check, status.advice.fault) == ("telegrams", "first_readout")


def test_a_readout_takes_minutes_at_300_baud() -> None:
    history = [f"1.8.0*{period:02}(0007987.399*kWh)" for period in range(1, 90)]
    long = texts.d0_readout([*texts.d0_lines(), *history])
    status = told("d0", long, long, long, line="300 8N1", poll="read", interval_s=200)
    (notice,) = (notice for notice in status.notices if notice.fault == "slow_readout")
    assert f"about {len(long) / 30:.0f} s" in notice.en.sentence
    # a failed poll takes no longer
    status = told("d0", long, damaged(long), long, long, line="300 8N1", poll="read", interval_s=200)
    (notice,) = (notice for notice in status.notices if notice.fault == "slow_readout")
    assert f"about {len(long) / 30:.0f} s" in notice.en.sentence
    # between two readouts at a higher speed, while the next request is sent
    status = told("d0", long, long, long, line="300 8N1", poll="read", interval_s=60)
    assert "slow_readout" not in notices(status)
    assert "slow_readout" not in notices(told("d0", long, long, line="9600 8N1", poll="read", interval_s=200))


def test_one_meter_on_two_ports() -> None:
    status = told("d0", READOUT, READOUT)
    other = structs.replace(status.facts, port="/dev/ttyUSB1", protocol="p1")
    (notice,) = run_checks(status.facts, [other]).notices
    assert notice.fault == "two_heads"
    assert "two ports" in notice.en.sentence


def test_no_sentence_calls_another_meter_an_sml_meter() -> None:
    from iskra_server.diagnosis.advice import TABLE  # noqa: PLC0415

    assert [fault for fault, words in TABLE.items() if "SML" in " ".join(words)] == []
