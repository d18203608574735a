"""The server with a meter that waits for requests: the meter is not left in programming mode, however reading ends."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from d0meter import d0_port, meter
from iskra_server.codecs.d0.encoder import BREAK
from iskra_server.simulator.d0_meter import D0Meter
from iskra_server.simulator.d0_wire import D0Wire
from running import DEADLINE_S, serving, until
from sources.polling import messages

# it answers single registers without a password
IDENT = "ISK5ME162-0033"
LINES = ["0.0.0(63000199)", "1.8.0(0033402.264*kWh)", "2.8.0(0000010.120*kWh)"]
REGISTERS = {"1.8.0": "(0033402.265*kWh)", "2.8.0": "(0000010.120*kWh)"}


@pytest.fixture
def virtual() -> D0Meter:
    return meter(IDENT, LINES, registers=REGISTERS, start_baud=9600)


@pytest.fixture
def wire(virtual: D0Meter) -> D0Wire:
    return D0Wire([virtual], baud=9600)


@pytest.fixture
def url(wire: D0Wire) -> Iterator[str]:
    with d0_port(wire) as path:
        yield f"{path}?protocol=d0&baud=9600&poll_s=1"


def test_sigterm_in_programming_mode(virtual: D0Meter, wire: D0Wire, url: str) -> None:
    with serving("serve", url) as server:
        until(lambda: virtual.is_programming)
        until(lambda: server.cumulated().status_code == 200)
        facts = server.status()["facts"]
        assert (facts["protocol"], facts["line"], facts["poll"]) == ("d0", "9600 8N1", "read")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(DEADLINE_S) == 0
    until(lambda: not virtual.is_programming)
    assert virtual.received[-1] == BREAK
    assert list(messages(wire))[-1] == BREAK


def test_a_reload_that_removes_the_meter(virtual: D0Meter, wire: D0Wire, url: str, tmp_path: Path) -> None:
    file = tmp_path / "iskra-server.toml"
    file.write_text(f'[[meters]]\nurl = "{url}"\n')
    with serving("serve", "--config", str(file)) as server:
        until(lambda: virtual.is_programming)
        file.write_text('[[meters]]\nurl = "simulator:MT175"\n')
        server.process.send_signal(signal.SIGHUP)
        until(lambda: not virtual.is_programming)
        until(lambda: "is in force" in server.log)
    assert list(messages(wire))[-1] == BREAK


def test_two_meters_of_one_line_each_have_their_status(tmp_path: Path) -> None:
    addresses = ("70000001", "70000002")
    meters = [
        # nobody reads single registers of this model
        meter("ISk5MT171-0133", [f"0.0.0({address})", *LINES[1:]], address=address, start_baud=9600)
        for address in addresses
    ]
    file = tmp_path / "iskra-server.toml"
    with d0_port(D0Wire(meters, baud=9600)) as path:
        urls = [f"{path}?protocol=d0&baud=9600&poll_s=1&address={address}" for address in addresses]
        file.write_text("".join(f'[[meters]]\nurl = "{url}"\n' for url in urls))
        with serving("serve", "--config", str(file)) as server:

            def statuses() -> list[dict[str, Any]]:
                answer: list[dict[str, Any]] = server.get("/api/v1/status").json()["meters"]
                return answer

            until(lambda: all(status["facts"]["telegrams"] for status in statuses()))
            facts = [status["facts"] for status in statuses()]
            assert [fact["meter_id"][-8:] for fact in facts] == list(addresses)
            assert [fact["port"] for fact in facts] == [f"{path}?address={address}" for address in addresses]
            assert [fact["previous_meter_id"] for fact in facts] == [None, None]
            assert all(status["ok"] for status in statuses())
