from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import update

from cli.recorded import FIRST, history
from command import Run
from iskra_server.fleet.central.rollup_refresh import refresh
from iskra_server.history.store.schema import rollup, rollup_part
from iskra_server.history.store.store import Store
from samples import METER_ID

# a day after the longest history here: each day until then is looked at
LATER_S = FIRST * 900 + 4 * 86_400


def roll_up(store: Store) -> None:
    while refresh(store, LATER_S, ZoneInfo("Europe/Berlin")):
        pass


def test_roll_ups_are_compared_and_repaired(call: Run, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{history(tmp_path, hours=72)}")
    done = call("fleet", "verify")
    assert (done.returncode, "no roll-ups yet" in done.stderr) == (1, True)
    roll_up(store)
    done = call("fleet", "verify", "--from", "2000-01")
    assert done.returncode == 0, done
    assert done.stdout == call("fleet", "verify", "--from", "2000-01-01").stdout
    assert "days and months say what their quarter-hours say" in done.stdout
    with store.transaction() as connection:
        connection.execute(update(rollup_part).values(raw=1))
    done = call("fleet", "verify", "--meter", METER_ID)
    assert done.returncode == 1
    assert f"{METER_ID} 1-0:1.8.0*255 " in done.stdout
    assert "in the roll-up" in done.stdout
    done = call("fleet", "verify", "--from", "2999-01-01")
    assert (done.returncode, "No day is over" in done.stdout) == (0, True)
    assert "are marked" in call("fleet", "verify", "--repair").stdout
    roll_up(store)
    assert call("fleet", "verify").returncode == 0
    assert "are deleted" in call("fleet", "verify", "--rebuild").stdout
    assert store.query(rollup.select()) == []
    store.close()


def test_what_is_no_period_is_refused(call: Run, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{history(tmp_path, hours=1)}")
    roll_up(store)
    store.close()
    done = call("fleet", "verify", "--from", "soon")
    assert (done.returncode, "'soon' is not a period; expected " in done.stderr) == (2, True)
