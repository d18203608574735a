from typing import Any

import pytest

import telegrams
from iskra_server.codecs.sml.encoder import END, ESCAPE, START, wrap
from iskra_server.codecs.sml.transport import MAX_RESTARTS, MAX_TELEGRAM, Transport
from iskra_server.meter.reading import Fault

TELEGRAM = wrap(b"\x76payload\x00")


def cut(data: bytes, chunk: int) -> list[bytes | Fault]:
    transport = Transport()
    results = []
    for part in telegrams.chunks(data, chunk):
        if transport.ready(part):
            while (found := transport.next()) is not None:
                results.append(found)
    return results


def telegrams_in(results: list[bytes | Fault]) -> list[bytes]:
    return [found for found in results if isinstance(found, bytes)]


def lost(results: list[bytes | Fault]) -> list[tuple[str, int]]:
    return [(found.kind, found.byte_count) for found in results if isinstance(found, Fault)]


@pytest.mark.parametrize("chunk", [1, 3, 7, 64, 1000])
@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_telegrams_are_cut_from_noise_at_any_alignment(chunk: int, shift: int) -> None:
    noise = b"\x55" * (16 + shift)
    results = cut(noise + TELEGRAM + TELEGRAM + noise + TELEGRAM, chunk)
    assert telegrams_in(results) == [TELEGRAM] * 3
    assert sum(data for kind, data in lost(results) if kind == "noise") == 2 * len(noise)


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("inside", [ESCAPE, ESCAPE * 2, START, END + b"\0\0\0", b"\x1b" * 9, b"\x01" + ESCAPE])
def test_look_alikes_of_marks_in_data_are_data(chunk: int, inside: bytes) -> None:
    data = wrap(b"\x76" + inside + b"\0")
    assert telegrams_in(cut(data * 2, chunk)) == [data] * 2


@pytest.mark.parametrize("length", range(8, len(TELEGRAM)))
def test_a_telegram_cut_off_anywhere_does_not_cost_the_next_one(length: int) -> None:
    transport = Transport()
    transport.ready(TELEGRAM[:length] + TELEGRAM)
    found = []
    while (result := transport.next()) is not None:
        if isinstance(result, bytes) and result != TELEGRAM:
            result = transport.reject(result, "checksum", "not this one")
        found.append(result)
    assert found[-1] == TELEGRAM
    assert sum(fault.byte_count for fault in found if isinstance(fault, Fault)) == length


def test_a_rejected_telegram_gives_back_a_start_mark_of_which_only_the_first_bytes_are_there() -> None:
    broken = START + b"\x76" * 8 + END + START[:3]
    transport = Transport()
    assert transport.ready(broken)
    assert transport.next() == broken
    assert transport.reject(broken, "checksum", "").byte_count == len(broken) - 3
    assert transport.next() is None
    assert transport.ready(TELEGRAM[3:])
    assert transport.next() == TELEGRAM


def test_an_unknown_escape_costs_only_what_stands_before_it() -> None:
    results = cut(START + b"\x76" * 20 + ESCAPE + b"\x02\x02\x02\x02" + b"\x55" * 20 + TELEGRAM, 64)
    assert lost(results)[0] == ("escape", len(START) + 21)
    assert telegrams_in(results) == [TELEGRAM]


def test_a_1b_too_many_before_the_start_mark_is_noise() -> None:
    assert telegrams_in(cut(TELEGRAM + b"\x1b" + TELEGRAM, 5)) == [TELEGRAM] * 2


@pytest.mark.parametrize("endless", [b"\x55", START + b"\x76" * 99, ESCAPE, START, START + ESCAPE * 2])
def test_memory_is_bounded_whatever_comes(endless: bytes) -> None:
    transport = Transport()
    held = 0
    for part in telegrams.chunks((endless * (40_000 // len(endless))), 50):
        if transport.ready(part):
            while transport.next() is not None:
                pass
        held = max(held, transport.pending)
    assert held <= MAX_TELEGRAM + 50
    transport.ready(b"\x55" * 20 + TELEGRAM)
    found = []
    while (result := transport.next()) is not None:
        if isinstance(result, bytes) and result != TELEGRAM:
            result = transport.reject(result, "checksum", "not this one")
        found.append(result)
    assert found[-1] == TELEGRAM


# a start mark behind an escape: as data it is one escaped 1B1B1B1B and 01010101
HIDDEN = ESCAPE + START
HOSTILE = {
    "hidden starts": START + HIDDEN * 600 + END + b"\0\0\0",
    "hidden starts without an end": START + HIDDEN * 2000,
    "starts": START * 1000 + END + b"\0\0\0",
    "ends": START + (END + b"\0\0\0") * 500,
    "hidden ends": START + (ESCAPE + END) * 900,
    "escapes": START + ESCAPE * 2000 + END + b"\0\0\0",
    "unknown escapes": (START + ESCAPE + b"\2\2\2\2") * 500,
    "one byte": b"\x1b" * 8000,
}


class Counting(bytearray):
    """A buffer that counts the searches in it."""

    searches = 0

    def find(self, *args: Any) -> int:
        Counting.searches += 1
        return super().find(*args)


@pytest.mark.parametrize("chunk", [1, 64, 100_000])
@pytest.mark.parametrize("name", HOSTILE)
def test_any_bytes_cost_linear_work(name: str, chunk: int) -> None:
    data = HOSTILE[name]
    transport = Transport()
    transport._buffer = Counting()
    Counting.searches = rejected = 0
    for part in telegrams.chunks(data + TELEGRAM * 2, chunk):
        if transport.ready(part):
            while (found := transport.next()) is not None:
                if isinstance(found, bytes) and found != TELEGRAM:
                    transport.reject(found, "checksum", "")
                    rejected += len(found)
    assert Counting.searches < 12 * len(data)
    assert rejected <= (MAX_RESTARTS + 2) * len(data)


@pytest.mark.parametrize("chunk", [1, 7, 100_000])
@pytest.mark.parametrize("before", [0, 1, MAX_RESTARTS - 1, MAX_RESTARTS, 30])
def test_a_good_telegram_behind_many_starts_in_damage_is_found(before: int, chunk: int) -> None:
    data = START + HIDDEN * before + ESCAPE + TELEGRAM
    transport, found = Transport(), []
    for part in telegrams.chunks(data, chunk):
        if transport.ready(part):
            while (result := transport.next()) is not None:
                if isinstance(result, bytes) and result != TELEGRAM:
                    result = transport.reject(result, "checksum", "not this one")
                found.append(result)
    assert found[-1] == TELEGRAM
    assert sum(fault.byte_count for fault in found if isinstance(fault, Fault)) == len(data) - len(TELEGRAM)
