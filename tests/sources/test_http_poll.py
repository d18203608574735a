"""A bridge that serves telegrams over HTTP: a real server in a thread, and the source on real sockets."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

import telegrams
import texts
from iskra_server.base import http_request
from iskra_server.base.address import Address
from iskra_server.base.http_request import MAX_BYTES
from iskra_server.sources import http_poll, reconnect
from iskra_server.sources.http_poll import http_source
from iskra_server.sources.reconnect import Reconnecting
from iskra_server.sources.source import SourceState
from running import DEADLINE_S, free_port
from sources.bridges import PASSWORD, FakeBridge, bridge
from sources.ptys import Heard, listening, until
from trying import tries

SERIES = telegrams.series(6)
POLL_S = 0.01


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(http_poll, "MIN_POLL_S", POLL_S)
    monkeypatch.setattr(http_poll, "REPEATED_S", 1000.0)


@pytest.fixture(name="served")
def served_bridge() -> Iterator[FakeBridge]:
    with bridge() as made:
        yield made


def source_of(served: FakeBridge, rest: str = "") -> Reconnecting:
    return http_source(served.url + rest, poll_s=POLL_S)


async def wait(condition: Callable[[], Any]) -> None:
    await until(condition)


async def served_again(served: FakeBridge) -> None:
    """So many answers that the present telegram was among them."""
    count = len(served.requests)
    await wait(lambda: len(served.requests) >= count + 3)


async def change(served: FakeBridge, heard: Heard, *series: bytes) -> None:
    """The head sends telegrams that are all heard; the first one is only a beginning."""
    for telegram in series:
        served.body = telegram
        await served_again(served)


def problem_of(served: FakeBridge, rest: str = "", format_problem: Any = None) -> SourceState:
    async def main() -> SourceState:
        source = source_of(served, rest)
        async with listening(source):
            await wait(lambda: source.state.problem)
            return source.state

    return asyncio.run(main())


def test_each_telegram_counts_once_and_the_first_one_may_be_old(served: FakeBridge) -> None:
    async def main() -> None:
        source = source_of(served)
        async with listening(source) as heard:
            await change(served, heard, SERIES[0])
            assert (heard.data, source.state.is_open) == (b"", False)
            await change(served, heard, SERIES[1], SERIES[2])
            assert heard.data == SERIES[1] + SERIES[2]
            assert source.state == SourceState(served.shown, is_open=True)

    asyncio.run(main())
    assert set(served.requests) == {"/data.json?node_id=1"}


def test_the_telegram_before_does_not_count_again(served: FakeBridge) -> None:
    """As after an answer that was damaged."""

    async def main() -> None:
        async with listening(source_of(served)) as heard:
            await change(served, heard, SERIES[0], SERIES[1], b"damaged", SERIES[1], SERIES[0], SERIES[2])
            assert heard.data == SERIES[1] + b"damaged" + SERIES[2]

    asyncio.run(main())


def test_old_telegrams_that_are_served_in_turn_do_not_count_again(served: FakeBridge) -> None:
    async def main() -> None:
        async with listening(source_of(served)) as heard:
            await change(served, heard, *SERIES[:5], *SERIES[:5], *SERIES[:5], SERIES[5])
            assert heard.data == b"".join(SERIES[1:])

    asyncio.run(main())


def test_a_path_that_does_not_exist_is_named(served: FakeBridge) -> None:
    state = problem_of(served, "/dta.json")
    assert (state.problem, state.details) == ("http_no_page", {"port": f"{served.shown}/dta.json"})


def test_a_telegram_that_was_cut_off_does_not_make_the_old_one_new(served: FakeBridge) -> None:
    async def main() -> None:
        async with listening(source_of(served)) as heard:
            await change(served, heard, SERIES[0][:100], SERIES[0], SERIES[0][:50], SERIES[0])
            assert heard.data == b""
            await change(served, heard, SERIES[1])
            assert heard.data == SERIES[1]

    asyncio.run(main())


def test_the_whole_of_a_new_telegram_that_was_cut_off_counts(served: FakeBridge) -> None:
    async def main() -> None:
        async with listening(source_of(served)) as heard:
            await change(served, heard, SERIES[0], SERIES[1][:200], SERIES[1], SERIES[1][:200], SERIES[1])
            assert heard.data == SERIES[1][:200] + SERIES[1]

    asyncio.run(main())


@tries(0.5)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, len(SERIES[0]) + 200)), max_size=30))
def test_no_telegram_counts_twice_nor_before_another_one_was_served(steps: list[tuple[int, int]]) -> None:
    """The head sends the next telegram or none; the bridge serves its newest one, now and then cut off."""
    bodies, number = [], 0
    for step, length in steps:
        number = (number + step) % len(SERIES)
        bodies.append(SERIES[number][: max(1, length)])
        if number == len(SERIES) - 1:
            break
    answers = iter([http_request.Answer(200, "application/json", body) for body in bodies])

    async def main() -> list[bytes]:
        bridge = http_poll.Bridge(Address("http://192.0.2.1"), "/data.json?node_id=1", 30.0)
        return [await bridge.ask() for _ in bodies]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_request.HttpRequest, "send", lambda _: next(answers))
        counted = asyncio.run(main())
    assert [data for data in counted if data] == [
        data for data, body in zip(counted, bodies, strict=True) if data == body
    ]
    whole = [data for data in counted if data in SERIES]
    assert len(whole) == len(set(whole))
    if whole:
        first = bodies.index(whole[0])
        assert any(not whole[0].startswith(body) for body in bodies[:first])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (texts.p1_telegram(texts.p1_lines(second=1)), texts.p1_telegram(texts.p1_lines(second=2))),
        (texts.d0_readout(), texts.d0_readout(texts.d0_lines(import_kwh="0008048.376"))),
    ],
    ids=["P1", "D0"],
)
def test_telegrams_of_text_pass_unchanged(served: FakeBridge, first: bytes, second: bytes) -> None:
    async def main() -> None:
        async with listening(source_of(served)) as heard:
            await change(served, heard, first, second)
            assert heard.data == second

    asyncio.run(main())


def test_firmware_that_renamed_the_path(served: FakeBridge) -> None:
    served.path = "/node_data.json"

    async def main() -> None:
        async with listening(source_of(served)) as heard:
            await change(served, heard, SERIES[0], SERIES[1])
            assert heard.data == SERIES[1]

    asyncio.run(main())
    assert served.requests[:2] == ["/data.json?node_id=1", "/node_data.json?node_id=1"]
    # it keeps to the path that works
    assert set(served.requests[2:]) == {"/node_data.json?node_id=1"}


def test_another_node_and_a_path_of_ones_own(served: FakeBridge) -> None:
    served.node, served.path = "3", "/meter/raw"

    async def main() -> None:
        async with listening(source_of(served, "/meter/raw?node_id=3&poll_s=0.02")) as heard:
            await change(served, heard, SERIES[0], SERIES[1])
            assert heard.data == SERIES[1]

    asyncio.run(main())


def test_the_answer_after_a_failure_may_be_old_too(served: FakeBridge) -> None:
    async def main() -> None:
        source = source_of(served)
        async with listening(source) as heard:
            await change(served, heard, SERIES[0], SERIES[1])
            served.status = 503
            await wait(lambda: source.state.problem == "http_failure")
            served.body = SERIES[2]
            served.status = 200
            await served_again(served)
            assert heard.data == SERIES[1]
            await change(served, heard, SERIES[3])
            assert heard.data == SERIES[1] + SERIES[3]

    asyncio.run(main())


def test_two_failures_are_no_news_but_the_answer_after_them_may_be_old(served: FakeBridge) -> None:
    async def main() -> None:
        source = source_of(served)
        async with listening(source) as heard:
            await change(served, heard, SERIES[0], SERIES[1])
            served.failures = http_poll.MAX_FAILURES
            served.body = SERIES[2]
            await wait(lambda: not served.failures)
            await served_again(served)
            assert (heard.data, source.state.problem, source.state.is_open) == (SERIES[1], None, True)
            await change(served, heard, SERIES[3])
            assert heard.data == SERIES[1] + SERIES[3]

    asyncio.run(main())


def test_the_answer_after_a_suspension_may_be_old_too(served: FakeBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(http_poll, "boottime_s", lambda: clock[0])

    async def main() -> None:
        bridge = http_poll.Bridge(Address(served.url), "/data.json?node_id=1", 30.0)
        answers = []
        for telegram, seconds in ((SERIES[0], 2.0), (SERIES[1], 2.0), (SERIES[2], 3600.0), (SERIES[3], 2.0)):
            clock[0] += seconds
            served.body = telegram
            answers.append(await bridge.ask())
        assert answers == [b"", SERIES[1], b"", SERIES[3]]

    asyncio.run(main())


def test_a_head_that_sends_nothing_any_more_is_a_problem_and_its_telegram_stays_old(
    served: FakeBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        source = source_of(served)
        async with listening(source) as heard:
            await change(served, heard, SERIES[0], SERIES[1])
            monkeypatch.setattr(http_poll, "REPEATED_S", 0.1)
            await wait(lambda: source.state.problem == "http_repeated")
            await served_again(served)
            state = source.state
            assert (state.is_open, state.problem, heard.data) == (False, "http_repeated", SERIES[1])
            assert state.details == {"port": served.shown, "seconds": "0"}
            monkeypatch.setattr(http_poll, "REPEATED_S", 1000.0)
            await change(served, heard, SERIES[2])
            assert (heard.data, source.state.is_open) == (SERIES[1] + SERIES[2], True)

    asyncio.run(main())


def test_a_head_that_sent_nothing_since_the_start_is_a_problem(
    served: FakeBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_poll, "REPEATED_S", 0.1)
    served.body = SERIES[0]
    assert problem_of(served).problem == "http_repeated"


def test_the_default_periods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_poll, "REPEATED_S", 30.0)
    assert http_poll.POLL_S == 2.0
    assert (http_poll.repeated_s(2.0), http_poll.repeated_s(60.0)) == (30.0, 180.0)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_password(served: FakeBridge, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    served.status, served.body = status, SERIES[0]
    assert problem_of(served).details == {"port": served.shown, "status": str(status)}
    assert problem_of(served).problem == "http_password"


def test_the_password_is_sent_as_basic_authentication_also_with_signs_in_it(served: FakeBridge) -> None:
    url = served.url.replace(PASSWORD, "wr%40ng:/ä")

    async def main() -> None:
        source = http_source(url, poll_s=POLL_S)
        async with listening(source):
            await wait(lambda: source.state.problem == "http_password")
        assert "wr" not in f"{source.state} {source.url}"

    asyncio.run(main())
    # admin:wr@ng:/ä
    assert set(served.authorizations) == {"Basic YWRtaW46d3JAbmc6L8Ok"}


def no_text(served: FakeBridge) -> None:
    served.status = 204


def page(served: FakeBridge) -> None:
    served.body = b"\n<!DOCTYPE html><title>Router</title>"


def page_by_its_type(served: FakeBridge) -> None:
    served.body, served.headers = b"Hello", {"Content-Type": "text/html; charset=utf-8"}


def moved(served: FakeBridge) -> None:
    served.status, served.headers = 302, {"Location": "http://192.0.2.1/data.json"}


def endless(served: FakeBridge) -> None:
    served.body = b"x" * (MAX_BYTES + 1)


def values(served: FakeBridge) -> None:
    served.body = b'{"$type":"imp_data","timestamp":1766130872134,"delta":10}'


def wrong_node(served: FakeBridge) -> None:
    served.node = "2"


def broken(served: FakeBridge) -> None:
    served.status = 500


@pytest.mark.parametrize(
    ("behave", "problem", "details"),
    [
        (lambda served: None, "http_empty", {}),
        (no_text, "http_empty", {}),
        (page, "http_not_a_bridge", {"reason": "HTML"}),
        (page_by_its_type, "http_not_a_bridge", {"reason": "HTML"}),
        (moved, "http_not_a_bridge", {"reason": "HTTP 302"}),
        (endless, "http_not_a_bridge", {"reason": "> 64 kB"}),
        (values, "only_values", {}),
        (wrong_node, "http_no_node", {}),
        (broken, "http_failure", {"status": "500"}),
    ],
)
def test_each_answer_without_a_telegram_has_its_own_problem(
    served: FakeBridge, behave: Callable[[FakeBridge], None], problem: str, details: dict[str, str]
) -> None:
    behave(served)
    state = problem_of(served)
    assert (state.problem, state.details) == (problem, {"port": served.shown, **details})
    # 192.0.2.1 was never asked
    assert {path.partition("?")[0] for path in served.requests} <= {"/data.json", "/node_data.json"}


def test_nothing_listens() -> None:
    async def main() -> SourceState:
        source = http_source(f"http://admin:secret@127.0.0.1:{free_port()}", poll_s=POLL_S)
        async with listening(source):
            await wait(lambda: source.state.problem)
        return source.state

    assert asyncio.run(main()).problem == "refused"


def test_an_ipv6_address_without_a_port() -> None:
    """Nothing listens at port 80 of ::1, or there is no IPv6."""

    async def main() -> SourceState:
        source = http_source("http://admin:secret@[::1]", poll_s=POLL_S)
        async with listening(source):
            await wait(lambda: source.state.problem)
        return source.state

    assert asyncio.run(main()).problem in ("refused", "unreachable", "unknown_name")


def test_an_unknown_name() -> None:
    async def main() -> SourceState:
        source = http_source("http://admin:secret@bridge.invalid", poll_s=POLL_S)
        async with listening(source):
            await wait(lambda: source.state.problem)
        return source.state

    assert asyncio.run(main()).problem == "unknown_name"


def test_a_bridge_behind_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only with a certificate that this machine trusts."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    async def main(served: FakeBridge) -> None:
        async with listening(source_of(served)) as heard:
            await change(served, heard, SERIES[0], SERIES[1])
            assert heard.data == SERIES[1]

    with bridge(context) as served:
        http_request.authorities.cache_clear()
        state = problem_of(served)
        assert (state.problem, state.details["port"]) == ("unreachable", served.shown)
        assert "certificate" in state.details["reason"]
        assert served.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        http_request.authorities.cache_clear()
        asyncio.run(main(served))
    http_request.authorities.cache_clear()


def answering(reply: bytes, port: list[int], stop: threading.Event) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        port.append(listener.getsockname()[1])
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.recv(4096)
                connection.sendall(reply)
                if not reply:
                    stop.wait(DEADLINE_S)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", "http_not_a_bridge"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", "http_not_a_bridge"),
        (b"", "no_answer"),
    ],
    ids=["no HTTP", "broken chunks", "silent"],
)
def test_a_server_that_is_no_http_server(reply: bytes, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_poll, "TIMEOUT_S", 0.3 if not reply else 10.0)
    port: list[int] = []
    stop = threading.Event()
    thread = threading.Thread(target=answering, args=(reply, port, stop))
    thread.start()

    async def main() -> SourceState:
        await wait(lambda: port)
        source = http_source(f"http://admin:secret@127.0.0.1:{port[0]}", poll_s=POLL_S)
        async with listening(source):
            await wait(lambda: source.state.problem)
        return source.state

    try:
        state = asyncio.run(main())
    finally:
        stop.set()
        thread.join()
    assert state.problem == problem
    assert "secret" not in str(state)


def test_an_answer_that_trickles_ends_at_the_deadline(served: FakeBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_poll, "TIMEOUT_S", 0.5)
    served.body, served.drip_s = SERIES[0], 0.1
    assert problem_of(served).problem == "no_answer"


def test_an_answer_that_is_cut_is_no_error(served: FakeBridge) -> None:
    """Its telegram is damaged, which the decoder counts."""
    served.cut = 10

    async def main() -> None:
        async with listening(source_of(served)) as heard:
            await change(served, heard, SERIES[0], SERIES[1])
            assert heard.data == SERIES[1][:-10]

    asyncio.run(main())


def test_cancelling_ends_a_request_at_once(served: FakeBridge) -> None:
    served.delay_s = 60.0

    async def main() -> None:
        async with listening(source_of(served)):
            await wait(lambda: served.requests)

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://", "http:// must be http://USER:PASSWORD@HOST/data.json?node_id=1."),
        ("http://a..b", "http://a..b must be http://USER:PASSWORD@HOST/data.json?node_id=1."),
        ("http://bridge:99999", "http://bridge:99999 must be http://USER:PASSWORD@HOST/data.json?node_id=1."),
        (
            "http://admin:secret@bridge?poll_s=soon",
            "poll_s in http://admin:***@bridge?poll_s=soon must be a number of seconds from 0.5 to 60, not 'soon'.",
        ),
        (
            "https://bridge/?poll_s=0",
            "poll_s in https://bridge/?poll_s=0 must be a number of seconds from 0.5 to 60, not '0'.",
        ),
        (
            "http://bridge?poll_s=nan",
            "poll_s in http://bridge?poll_s=nan must be a number of seconds from 0.5 to 60, not 'nan'.",
        ),
    ],
)
def test_a_wrong_address_is_one_sentence(url: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_poll, "MIN_POLL_S", 0.5)
    with pytest.raises(ValueError) as refusal:
        http_source(url)
    assert str(refusal.value) == sentence
