import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import telegrams
from iskra_server.runtime.logs import ALWAYS, QueuedHandler, RateLimitFilter, RecentLines
from running import Head, serving, until

DAY_S = 86_400
OMITTED = re.compile(r"\((\d+) similar lines omitted\)")


def logged(level: str, form: str) -> str:
    """What a process that logs writes to stderr."""
    program = (
        "import logging, iskra_server.runtime.logs as logs\n"
        f"logs.set_up({level!r}, {form!r})\n"
        "logging.getLogger('a').info('one %d', 1)\n"
        "logging.getLogger('websockets.server').info('connection open')\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: logging.getLogger('b').exception('two')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    return done.stderr


def test_text_is_one_line_for_people() -> None:
    first = logged("info", "text").splitlines()[0]
    assert first.endswith("Z INFO one 1")


def test_json_is_one_object_a_line() -> None:
    first, second = map(json.loads, logged("info", "json").splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("info", "a", "one 1")
    assert first["time"].endswith("Z")
    assert "ZeroDivisionError" in second["traceback"]


def test_connections_of_strangers_are_not_logged() -> None:
    assert "connection open" not in logged("info", "text")


def test_the_level_is_kept() -> None:
    assert "one 1" not in logged("error", "text")


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def record(text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("a", logging.WARNING, __file__, 1, text, arguments, None)


def test_a_head_that_comes_and_goes_all_day_writes_less_than_a_hundred_lines() -> None:
    clock = Clock()
    sparing = RateLimitFilter(clock)
    lines: list[logging.LogRecord] = []
    for flap in range(DAY_S // 5):
        clock.now_s = flap * 5.0
        both = record("%s", f"/dev/ttyUSB{flap % 3} was unplugged."), record("%s is back.", "/dev/ttyUSB0")
        lines += [each for each in both if sparing.filter(each)]
    assert 60 < len(lines) <= 100
    omitted = sum(int(count[1]) for line in lines if (count := OMITTED.search(line.getMessage())))
    assert len(lines) + omitted > 2 * DAY_S // 5 - 2000


def test_another_kind_of_line_is_not_left_out() -> None:
    sparing = RateLimitFilter(Clock())
    assert [sparing.filter(record("one %d", number)) for number in range(9)] == [True] * 6 + [False] * 3
    assert sparing.filter(record("another"))


def test_kinds_without_end_need_no_memory_without_end() -> None:
    sparing = RateLimitFilter(Clock())
    assert all(sparing.filter(record(f"text {number}")) for number in range(10_000))
    assert all(len(kinds) <= 1000 for kinds in vars(sparing).values() if isinstance(kinds, dict))


@pytest.fixture
def piped() -> Iterator[tuple[int, QueuedHandler]]:
    """The reading end of a pipe that nobody reads yet, and what writes a log into it."""
    reading, writing = os.pipe()
    handler = QueuedHandler(writing)
    yield reading, handler
    os.close(reading)
    # its thread has given up each line before the number of the descriptor is free for others
    handler.flush()
    os.close(writing)


def test_who_logs_never_waits_for_who_takes_the_log(piped: tuple[int, QueuedHandler]) -> None:
    reading, handler = piped
    count = 10_000
    for number in range(count):
        handler.handle(record(f"line {number} {'x' * 100}"))
    until(lambda: handler.is_blocked and handler.dropped > 0)
    text = b""
    while b"dropped" not in text:
        text += os.read(reading, 65_536)
    lines = text.decode().splitlines()
    dropped = handler.dropped
    assert f"{dropped} log lines were dropped: the terminal or the log collector did not read them." in lines[-1]
    # those that were kept are whole, and in order
    numbers = [int(line.split()[1]) for line in lines[:-1]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == count - dropped


def test_the_end_waits_for_what_is_taken_and_not_for_what_is_not(piped: tuple[int, QueuedHandler]) -> None:
    reading, handler = piped
    handler.handle(record("one"))
    handler.flush()
    assert os.read(reading, 100) == b"one\n"
    for _ in range(900):
        handler.handle(record("x" * 200))
    began = time.monotonic()
    handler.flush()
    assert time.monotonic() - began < 10


def test_nobody_behind_the_log_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    handler = QueuedHandler(write)
    handler.handle(record("lost"))
    until(lambda: handler.dropped == 1)
    handler.handle(record("lost too"))
    until(lambda: handler.dropped == 2)
    os.close(write)


def test_a_line_that_cannot_be_made_harms_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    handler = QueuedHandler(2)
    handler.handle(record("%d", "no number"))
    handler.handle(record("%d", 1))
    handler.flush()
    assert "1" in capfd.readouterr().err


def test_another_level_keeps_the_lines_that_wait() -> None:
    program = (
        "import logging, iskra_server.runtime.logs as logs\n"
        "logs.set_up('info', 'text'); first = logs.queued_handler(); logging.info('one')\n"
        "logs.set_up('error', 'json'); assert logs.queued_handler() is first\n"
        "logging.info('two'); logging.error('three')\n"
        "logs.flush_or_exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    first, second = done.stderr.splitlines()
    assert first.endswith("INFO one") and json.loads(second)["message"] == "three"


def test_the_last_lines_are_kept() -> None:
    recent = RecentLines()
    for number in range(300):
        recent.handle(record("line %d", number))
    assert list(recent.lines) == [f"line {number}" for number in range(100, 300)]


def test_a_running_server_with_a_loose_plug_writes_few_lines(tmp_path: Path) -> None:
    head = Head(tmp_path / "head")
    with serving("serve", str(head.link)) as server:
        for number in range(15):
            until(lambda: server.status()["facts"]["is_open"])
            head.send(telegrams.telegram(seconds=number))
            until(lambda: server.status()["facts"]["telegrams"] > number)  # noqa: B023
            head.unplug()
            until(lambda: not server.status()["facts"]["is_open"])
            head.plug()
        until(lambda: server.status()["facts"]["is_open"])
    # two at the start, and six of each kind: unplugged, back, found (of a pseudo-terminal with a new number)
    assert len(server.log.splitlines()) <= 20, server.log


def test_what_somebody_has_just_asked_for_is_never_left_out() -> None:
    sparing, answer = RateLimitFilter(Clock()), record("The configuration was read again.")
    setattr(answer, ALWAYS, True)
    assert all(sparing.filter(answer) for _ in range(100))


def test_no_line_and_no_traceback_holds_a_secret() -> None:
    code = (
        "import logging\n"
        "from iskra_server.runtime import logs\n"
        "from iskra_server.base.address import Address\n"
        "recent = logs.RecentLines()\n"
        "address = Address('mqtt://me:gehe/im-und@broker')\n"
        "for form in ('text', 'json'):\n"
        "    logs.set_up('debug', form, recent, [address])\n"
        "    try:\n"
        "        raise ValueError(address.reveal() + ' gehe%2Fim-und')\n"
        "    except ValueError as error:\n"
        "        logging.getLogger('library').exception('cannot use %s', address.reveal())\n"
        "assert len(recent.lines) == 2\n"
        "print(*recent.lines)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for text in (done.stdout, done.stderr):
        assert "im-und" not in text
        assert text.count("cannot use mqtt://***@broker") == 2
        assert "ValueError: mqtt://***@broker ***" in text
