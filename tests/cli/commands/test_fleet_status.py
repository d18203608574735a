"""`fleet status` on a history in a file; a central server has its in PostgreSQL, with the same queries."""

import json
import time
from pathlib import Path

from command import Run
from fleet.batches import batch_of
from history.entries import METER, quarter_reading
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.store.store import Store
from samples import METER_ID


def heard(folder: Path, age_s: int) -> dict[str, str]:
    """A meter and its reader, last heard so long ago; gives the variables of that history."""
    store = Store(f"sqlite:///{folder}/iskra.sqlite")
    at_s = int(time.time()) - age_s
    states = [ReaderState("house-7", at_s, True, "", "[]")]
    write_batch(store, batch_of([quarter_reading()], [METER], [LastContact(METER_ID, "house-7", at_s)], states))
    store.close()
    return {"IES_DATA_DIR": str(folder), "IES_METERS": "none"}


def test_all_is_well_while_readers_and_meters_are_heard(call: Run, tmp_path: Path) -> None:
    done = call("fleet", "status", **heard(tmp_path, 5))
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "Readers 1 0 silent, 0 with a fault" in lines
    assert "Meters 1 0 silent, 0 gone" in lines
    assert lines[-1] == "All is well."


def test_a_silent_reader_is_exit_status_1_with_a_sentence(call: Run, tmp_path: Path) -> None:
    variables = heard(tmp_path, 3_600)
    done = call("fleet", "status", **variables)
    assert done.returncode == 1
    assert "! Silent readers: 1 of 1; house-7 for the longest time. Check the power" in done.stdout
    answer = call("fleet", "status", "--json", **variables)
    state = json.loads(answer.stdout)
    assert (answer.returncode, state["ok"], state["facts"]["silent_readers"]) == (1, False, 1)
