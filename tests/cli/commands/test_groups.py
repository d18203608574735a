from pathlib import Path

import pytest

from cli.recorded import history
from command import Run
from iskra_server.fleet.central import queries as fleet
from iskra_server.history.store.store import Store
from samples import METER_ID


def test_a_table_groups_meters(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path, hours=1)
    (tmp_path / "tenants.csv").write_text(f"meter,building,tenant\n{METER_ID},7,Meyer\n1 ISK 00 00000009,7,Huber\n")
    done = call("groups", "tenants.csv")
    assert (done.returncode, done.stdout) == (1, "1 meters are assigned to groups.\n")
    assert "Not in history: 1 ISK 00 00000009" in done.stderr
    store = Store(f"sqlite:///{path}")
    assert fleet.groups(store, "tenant", limit=5) == [("Meyer", 1)]
    store.close()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "needs a header"),
        ("meter\nx\n", "needs a header"),
        ("meter,building\nx\n", "Line 2"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(call: Run, tmp_path: Path, content: str | None, sentence: str) -> None:
    history(tmp_path, hours=1)
    if content is not None:
        (tmp_path / "tenants.csv").write_text(content)
    done = call("groups", "tenants.csv")
    assert (done.returncode, sentence in done.stderr) == (2, True)
