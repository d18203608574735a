"""A history on a file system of its own: `python mounted.py SCENE FOLDER`, in a mount namespace of its own.

Mounts a small tmpfs at FOLDER, does what its first argument says, and prints what came of it as JSON.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec

from history import served
from history.entries import AT_S, METER, block, quarter_reading, wait_until
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID

BYTES = bytes(range(256)) * 8


def full(folder: Path) -> dict[str, object]:
    """Write until the disk is full, and for a while longer; then make room."""
    file = folder / "iskra.sqlite"
    writer = Writer(lambda: Store(f"sqlite:///{file}"), together_s=0.005, first_retry_s=0.02)
    writer.start()
    number = 0
    while writer.state.ok:
        put(writer, number)
        number += 1
        wait_until(lambda: not writer.state.pending_ledger or not writer.state.ok)
    in_time = number
    for number in range(in_time, in_time + 100):
        put(writer, number)
    state = writer.state
    assert writer.store
    readable = len(writer.store.quarter_readings_between(METER_ID, IMPORT, 0, number + 1))
    mount("-o", "remount,size=64m", folder)
    wait_until(lambda: writer.state.ok and not writer.state.pending_ledger)
    store = Store(f"sqlite:///{file}")
    quarters = [known.quarter for known in store.quarter_readings_between(METER_ID, IMPORT, 0, 2 * number)]
    points = store.points_between(METER_ID, 0, 2**40)
    store.close()
    with closing(sqlite3.connect(file)) as connection:
        check = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return {
        "sentence": state.sentence.partition(" History has")[0].replace(str(file), "FILE"),
        "waits": state.sentence.endswith("nothing is lost."),
        "kept": state.pending_ledger >= 100 and state.pending_points >= 100 and readable >= in_time - 1,
        "complete": quarters == list(range(number + 1)) and len(points) == number + 1,
        "dropped": writer.close().dropped_points,
        "check": check,
    }


def put(writer: Writer, number: int) -> None:
    writer.enqueue([quarter_reading(number), block(AT_S + 60 * number, BYTES)], METER)


def readonly(folder: Path) -> dict[str, object]:
    """Open a history, and a new one, on a disk that was mounted read-only."""
    Store(f"sqlite:///{folder}/iskra.sqlite").close()
    mount("-o", "remount,ro", folder)
    return {name: refusal(folder / name).replace(str(folder), "DIR") for name in ("iskra.sqlite", "new.sqlite")}


def serve_full(folder: Path) -> dict[str, object]:
    """Serve with a disk on which there is no room from the beginning."""
    with (folder / "other").open("wb", buffering=0) as other:
        try:
            while other.write(BYTES):
                pass
        except OSError:
            return served.answers(folder)
    raise AssertionError("the file system is endless")


def serve_readonly(folder: Path) -> dict[str, object]:
    """Serve with a data directory on a disk that was mounted read-only."""
    mount("-o", "remount,ro", folder)
    return served.answers(folder)


def refusal(file: Path) -> str:
    try:
        Store(f"sqlite:///{file}").close()
    except StoreError as error:
        return str(error)
    return "opened"


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


if __name__ == "__main__":
    place = Path(sys.argv[2])
    mount("-t", "tmpfs", "-o", "size=400k", "tmpfs", place)
    scenes = (full, readonly, serve_full, serve_readonly)
    scene = next(scene for scene in scenes if scene.__name__ == sys.argv[1])
    print(msgspec.json.encode(scene(place)).decode())
