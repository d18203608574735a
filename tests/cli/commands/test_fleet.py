"""`fleet` at a central server: its readers, meters that move, values that differ."""

import json
from pathlib import Path

import pytest

from command import Run
from fleet.batches import batch_of
from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.store.store import Store
from samples import METER_ID


@pytest.fixture
def central(tmp_path: Path) -> None:
    """Two readers, of which one has a meter, and the other one says otherwise."""
    store = Store(f"sqlite:///{tmp_path}/.local/share/iskra-server/iskra.sqlite")
    states = [
        ReaderState("house-7", 1_763_805_600, True, "All sources are read.", "[]", "1.0", 1),
        ReaderState("house-8", 1_763_805_600, True, "All sources are read.", "[]", "1.1", 400),
    ]
    write_batch(
        store, batch_of([quarter_reading(), quarter_reading(QUARTER + 1)], [METER], readings_of("house-7"), states)
    )
    other = [quarter_reading(QUARTER + 1, 107_323_099)]
    write_batch(store, batch_of([*other], [METER], readings_of("house-8")))
    store.close()


def readings_of(name: str) -> list[LastContact]:
    return [LastContact(METER_ID, name, 0)]


@pytest.mark.usefixtures("central")
def test_readers_meters_and_conflicts(call: Run) -> None:
    listed = call("fleet", "readers")
    assert listed.returncode == 1
    good, bad = listed.stdout.splitlines()[1:]
    assert good.split()[:5] == ["house-7", "1.0", "2025-11-22T10:00:00Z", "+1", "s"]
    assert "All sources are read." in good
    assert "Its clock is 400 s ahead" in bad
    rows = [json.loads(line) for line in call("fleet", "readers", "--json").stdout.splitlines()]
    assert [(row["name"], row["clock_ahead_s"], row["meters"], row["ok"]) for row in rows] == [
        ("house-7", 1, 1, True),
        ("house-8", 400, 0, False),
    ]

    differing = call("fleet", "conflicts", "--tz", "Europe/Berlin")
    assert differing.returncode == 1
    assert (
        f"{METER_ID}  1-0:1.8.0*255  2025-11-22 11:15 +0100  house-7: 10732309.1 Wh is kept; house-8: 10732309.9 Wh"
        in (differing.stdout)
    )
    (row,) = (
        json.loads(line) for line in call("fleet", "conflicts", "--json", "--meter", METER_ID).stdout.splitlines()
    )
    assert (row["reader"], row["value_wh"], row["kept_reader"], row["kept_wh"]) == (
        *("house-8", 10732309.9),
        *("house-7", 10732309.1),
    )
    assert call("fleet", "conflicts", "--from", "2024").stdout == "No values differ.\n"

    assert call("fleet", "conflicts", "--take", "house-8").returncode == 2
    taken = call("fleet", "conflicts", "--take", "house-8", "--meter", METER_ID, "--from", "2025-11-22", "--tz", "UTC")
    assert (taken.returncode, taken.stdout) == (0, f"1 values of house-8 count for {METER_ID} now.\n")
    assert "house-8: 10732309.9 Wh is kept; house-7: 10732309.1 Wh" in call("fleet", "conflicts").stdout

    unknown = call("fleet", "move", METER_ID, "--to", "house-9")
    assert unknown.returncode == 1
    assert "No reader house-9 has sent anything yet. Connect it first; known are house-7, house-8." in unknown.stderr
    moved = [call("fleet", "move", METER_ID, "--to", "house-8").stdout for _ in range(2)]
    assert moved == [
        f"{METER_ID} is moved from house-7 to house-8.\n",
        f"{METER_ID} has the reader house-8 already.\n",
    ]
