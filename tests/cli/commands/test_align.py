"""`align` second by second: in a pipe, as JSON, with a tone, and beside a server that holds the port."""

import json
import re
from pathlib import Path

import pytest

from command import OnTerminal, Run
from iskra_server.cli.commands.align import AlignSample, as_line
from iskra_server.diagnosis.facts import StreamQuality
from running import Head, Server, serving, until

# with a household that has just begun: to compute one of most of a year takes seconds on a busy machine
METER = "simulator:MT175?start=2026-01-02T10:00:00Z&"


@pytest.mark.parametrize(
    ("quality", "trend", "line"),
    [
        (StreamQuality(10, 9, 1, 0, 4210, 0.9), 1, " 90 %  better  9 of 10 telegrams valid within 10 s, 4210 bytes"),
        (StreamQuality(10, 1, 9, 9, 900, 0.1), -1, " 10 %  worse   1 of 10 telegrams valid within 10 s, 900 bytes"),
        (StreamQuality(10, 0, 0, 0, 0, None), 0, "  - %          0 of 0 telegrams valid within 10 s, 0 bytes"),
    ],
)
def test_a_line_a_second(quality: StreamQuality, trend: int, line: str) -> None:
    assert as_line(AlignSample(quality, trend, "")) == line


def test_a_line_in_german(run: Run) -> None:
    done = run("align", "/dev/ttyNONE", "--seconds", 1, "--lang", "de")
    assert done.stdout.startswith("  - %              0 von 0 Telegrammen gültig in 10 s, 0 Byte  /dev/ttyNONE gibt es")


def test_a_head_that_sits_well(run: Run) -> None:
    done = run("align", f"{METER}rate=5", "--seconds", 2)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert lines[-1].startswith("100 %")


def test_a_head_that_sits_badly_is_no_success(run: Run) -> None:
    done = run("align", f"{METER}rate=20&faults=bits=0.5", "--seconds", 3, "--json")
    assert done.returncode == 1
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["quality"]["seconds"] == 10
    assert 0.2 < last["quality"]["valid_ratio"] < 0.8
    assert last["quality"]["damaged"] > 3


def test_the_trend_is_shown_on_a_terminal_with_a_tone_for_every_telegram(terminal: OnTerminal) -> None:
    live = terminal("align", f"{METER}rate=5&faults=cut=0.5", "--sound", "--seconds", "4")
    live.until("telegrams valid within 10 s")
    live.until("\a")
    live.end()
    assert "█" in live.text
    assert "Traceback" not in live.text


def test_in_a_pipe_there_is_no_tone(run: Run) -> None:
    assert "\a" not in run("align", f"{METER}rate=20", "--sound", "--seconds", 1).stdout


def test_nothing_that_arrives_is_told(run: Run, tmp_path: Path) -> None:
    head = Head(tmp_path / "head")
    done = run("align", head.link, "--seconds", 1)
    head.unplug()
    assert done.returncode == 1
    assert "Nothing has arrived on" in done.stdout


def test_the_server_that_holds_the_port_is_asked(run: Run, reading: tuple[Head, Server]) -> None:
    head, server = reading
    for port in (server.url.rpartition(":")[2], "1"):
        # also where the configuration names another port than its own
        done = run("align", head.link, "--seconds", 1, IES_PORT=port)
        assert re.match(r"100 % {9,10}(\d+) of \1 telegrams valid", done.stdout), done.stdout
        assert done.returncode == 0


def test_a_server_that_asks_for_a_token_is_named(run: Run, tmp_path: Path) -> None:
    head, token = Head(tmp_path / "head"), "0123456789abcdef"
    headers = {"authorization": f"Bearer {token}"}
    with serving("serve", str(head.link), environ={"IES_SERVER_TOKEN": token}, headers=headers) as server:
        until(lambda: server.status()["facts"]["is_open"])
        done = run("align", head.link, "--seconds", 1, IES_PORT="1")
    head.unplug()
    assert done.returncode == 1
    assert f"iskra-server serve (pid {server.process.pid})" in done.stderr
