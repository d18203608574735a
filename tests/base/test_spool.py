import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from iskra_server.base.spool import REFUSED_BYTES, SEGMENT_BYTES, Spool

LINE = b"electricity,meter=x power=%d 1795255200123\n"
MANY = 10**9


def lines(count: int, first: int = 0) -> list[bytes]:
    return [LINE % k for k in range(first, first + count)]


def opened(folder: Path, max_bytes: int = MANY) -> Spool:
    spool = Spool(folder, max_bytes)
    spool.open()
    return spool


def drained(spool: Spool) -> list[bytes]:
    found = []
    while oldest := spool.oldest():
        segment, content = oldest
        found += content
        spool.remove(segment)
    return found


def test_lines_are_delivered_in_the_order_of_appending(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for first in range(0, 30, 10):
        spool.append(lines(10, first))
    assert spool.waiting == 30
    assert drained(spool) == lines(30)
    assert (spool.waiting, spool.byte_count, list(tmp_path.iterdir())) == (0, 0, [])


def test_a_segment_never_grows_beyond_the_size_of_a_request(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for _ in range(30):
        spool.append(lines(300))
    assert all(path.stat().st_size <= SEGMENT_BYTES for path in tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 2
    assert len(drained(spool)) == 9000


def test_a_restart_delivers_old_lines_and_appends_behind_them(tmp_path: Path) -> None:
    opened(tmp_path).append(lines(5))
    spool = opened(tmp_path)
    assert spool.waiting == 5
    spool.append(lines(5, 5))
    again = opened(tmp_path)
    again.append(lines(5, 10))
    assert drained(again) == lines(15)


@pytest.mark.parametrize("cut", range(1, len(LINE) + 2))
def test_an_incomplete_last_line_is_removed(tmp_path: Path, cut: int) -> None:
    opened(tmp_path).append(lines(3))
    (segment,) = tmp_path.iterdir()
    os.truncate(segment, segment.stat().st_size - cut)
    spool = opened(tmp_path)
    spool.append(lines(1, 9))
    whole = (len(b"".join(lines(3))) - cut) // len(LINE % 0)
    assert drained(spool) == [*lines(whole), *lines(1, 9)]


def test_above_its_limit_the_oldest_are_dropped_and_counted(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_bytes=2 * SEGMENT_BYTES)
    for first in range(0, 20_000, 1000):
        spool.append(lines(1000, first))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) == spool.byte_count <= 2 * SEGMENT_BYTES
    kept = drained(spool)
    assert spool.dropped > 0
    assert kept == lines(20_000)[spool.dropped :]


def test_a_segment_that_cannot_be_read_is_dropped_and_blocks_nothing(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for first in range(0, 12_000, 6000):
        spool.append(lines(6000, first))
    first_segment = min(tmp_path.iterdir())
    first_segment.unlink()
    assert drained(spool) == lines(6000, 6000)
    assert spool.dropped == 6000


def test_segments_are_not_overwritten_when_the_folder_cannot_be_read(tmp_path: Path) -> None:
    opened(tmp_path).append(lines(5))
    (tmp_path / "00000002.lines").mkdir()
    spool = Spool(tmp_path, MANY)
    with pytest.raises(IsADirectoryError):
        spool.open()
    spool.append(lines(1, 5))
    assert (tmp_path / "00000001.lines").read_bytes() == b"".join(lines(5))


def test_refused_lines_are_stored_with_their_reason_and_never_sent(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    path = spool.set_aside(lines(2), "400 field type conflict")
    assert path.read_bytes() == b"# 400 field type conflict\n" + b"".join(lines(2))
    assert drained(opened(tmp_path)) == []


def test_the_newest_refused_lines_are_kept(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(10):
        spool.set_aside(lines(6000), f"reason {number}")
    kept = sorted(tmp_path.iterdir())
    assert sum(path.stat().st_size for path in kept) <= REFUSED_BYTES
    assert kept[-1].read_bytes().startswith(b"# reason 9\n")


def test_a_full_disk_changes_nothing(small_disk: Path) -> None:
    spool = opened(small_disk / "spool")
    spool.append(lines(10))
    with pytest.raises(OSError, match="No space left"):
        spool.append(lines(5000, 10))
    assert spool.waiting == 10
    again = opened(small_disk / "spool")
    assert drained(again)[:10] == lines(10)


def test_a_count_function_decides_what_a_line_counts_for(tmp_path: Path) -> None:
    """A block of telegrams is one line and counts for all of them, also after a restart."""

    def telegrams(lines: Sequence[bytes]) -> int:
        return sum(map(int, lines))

    spool = Spool(tmp_path, MANY, telegrams)
    spool.append([b"60\n", b"30\n"])
    again = Spool(tmp_path, MANY, telegrams)
    again.open()
    assert (spool.waiting, again.waiting) == (90, 90)
    assert drained(again) == [b"60\n", b"30\n"]
    assert again.waiting == 0
