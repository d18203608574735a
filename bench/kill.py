"""`kill -9` at random moments under load: is what was written there, whole, and nothing else?

    python bench/kill.py [rounds on SQLite] [rounds on PostgreSQL]

Each round starts a process that carries on with the same database, and kills it within a fraction of a second: two of
three while it writes, the third at any moment of its start. It says which quarters are safe; afterwards each of them
is compared with what was written, and PRAGMA integrity_check runs after every round. Every fourth round runs on a
second database: telegrams through the recorder by a clock that runs 600 times faster, so that a commit takes some
seconds of it, to see how many of the last are gone. Then as many rounds again by three while the database is away.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from history import postgres
from history.busy import (
    FLUSH_S,
    drain,
    gone_s,
    integrity,
    kill,
    quarters_found,
    record_for_ever,
    spool_for_ever,
    write_for_ever,
)

ROUNDS = 300, 100
MAX_S = 0.3


def main() -> None:
    rounds = [int(argument) for argument in sys.argv[1:]] or ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        torture("SQLite", rounds[0], *(f"sqlite:///{folder}/{name}.sqlite" for name in ("quarters", "telegrams")))
    with tempfile.TemporaryDirectory() as folder:
        torture_spool(rounds[0] // 3, Path(folder))
    if len(rounds) > 1 and rounds[1]:
        with postgres.running() as server:
            torture("PostgreSQL", rounds[1], *(database(server, name) for name in ("quarters", "telegrams")))


def torture(name: str, rounds: int, quarters: str, telegrams: str) -> None:
    began, safe, gone = time.monotonic(), -1, 0.0
    for number in range(rounds):
        if number % 4 == 3:
            sent = kill(telegrams, record_for_ever, while_working=True, longest_s=MAX_S)
            gone = max(gone, gone_s(telegrams, sent))
        else:
            safe = max(safe, *kill(quarters, write_for_ever, while_working=number % 3 > 0, longest_s=MAX_S), -1)
        check(telegrams if number % 4 == 3 else quarters)
        if sys.stderr.isatty():
            print(f"\r{name}: {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    found = quarters_found(quarters)
    if found <= safe:
        raise SystemExit(f"{name}: quarter {safe} was safe, but only {found} are there")
    print(
        f"{name}: killed {rounds} times in {time.monotonic() - began:.0f} s; {found:,} quarters, none missing "
        f"or wrong; telegrams of {gone:.1f} s gone at most, with {FLUSH_S} s between two flushes"
    )


def torture_spool(rounds: int, folder: Path) -> None:
    """While the database is away: what was said to be on the disk is in the database once that is back."""
    began, safe, address = time.monotonic(), -1, f"sqlite:///{folder}/history.sqlite"
    for number in range(rounds):
        sent = kill(str(folder / "spool"), spool_for_ever, while_working=number % 3 > 0, longest_s=MAX_S)
        safe = max(safe, *sent, -1)
    drain(folder / "spool", address)
    found = quarters_found(address)
    if found <= safe:
        raise SystemExit(f"spool: quarter {safe} was safe, but only {found} are there")
    print(
        f"spool: killed {rounds} times in {time.monotonic() - began:.0f} s while the database was away; "
        f"{found:,} quarters, none missing or wrong"
    )


def check(address: str) -> None:
    path = Path(address.removeprefix("sqlite:///"))
    if address.startswith("sqlite") and path.exists() and (said := integrity(path)) != "ok":
        raise SystemExit(f"PRAGMA integrity_check says: {said}")


def database(server: postgres.Postgres, name: str) -> str:
    server.run(f"CREATE DATABASE {name}")
    return server.url(name)


if __name__ == "__main__":
    main()
