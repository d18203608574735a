"""`kill -9` at random moments while history is written: what was safe is there, and nothing is half there.

A few times here; bench/kill.py does it for longer.
"""

from pathlib import Path

from history.busy import (
    FLUSH_S,
    MAX_TOGETHER,
    SPEED,
    drain,
    gone_s,
    integrity,
    kill,
    quarters_found,
    record_for_ever,
    spool_for_ever,
    write_for_ever,
)

# killing a client is less of a matter for a server
ROUNDS = {"sqlite": 15, "postgresql": 6}
# a flush interval, and what a commit may take on a busy machine: less than what is sent until the kill
AT_MOST_S = FLUSH_S + 1.5 * SPEED


def rounds(address: str) -> range:
    return range(ROUNDS[address.partition(":")[0]])


def is_sound(address: str) -> bool:
    return not address.startswith("sqlite") or integrity(Path(address.removeprefix("sqlite:///"))) == "ok"


def test_what_was_safe_is_there_and_nothing_is_half_there(address: str) -> None:
    # every third is killed at any moment of its start, the others while they write
    sent = [kill(address, write_for_ever, while_working=number % 3 > 0) for number in rounds(address)]
    safe = max(number for numbers in sent for number in numbers)
    assert is_sound(address)
    assert quarters_found(address) > safe > 0


def test_at_most_a_flush_interval_of_points_is_gone(address: str) -> None:
    def lost_s() -> float:
        sent = kill(address, record_for_ever, while_working=True, longest_s=2.5)
        assert is_sound(address)
        return gone_s(address, sent)

    for _ in range(2):
        # a busy disk may hold a commit back longer than that, but not each of them
        assert any(lost_s() < AT_MOST_S for _ in range(3))


def test_what_waits_on_the_disk_outlives_a_kill(tmp_path: Path) -> None:
    folder, address = tmp_path / "spool", f"sqlite:///{tmp_path / 'iskra.sqlite'}"
    sent = [kill(str(folder), spool_for_ever, while_working=number % 3 > 0) for number in range(6)]
    safe = max(number for numbers in sent for number in numbers)
    drain(folder, address)
    # the counters of what was handed over together are on the disk before its blocks
    assert quarters_found(address, MAX_TOGETHER) > safe > 0
