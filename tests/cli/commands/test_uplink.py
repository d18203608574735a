import json
from pathlib import Path

import pytest

from cli.recorded import FIRST, history
from command import Run
from iskra_server.fleet.edge.uplink_queue import UplinkQueue
from iskra_server.history.store.store import Store
from samples import METER_ID

REASON = "it is cut"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A history of two days; the central server has the first one, but refused one quarter-hour of it."""
    store = Store(f"sqlite:///{history(tmp_path)}")
    queue = UplinkQueue(store)
    queue.enable("house-7")
    refused, rest = queue.next_parcels(1, {}, {METER_ID: 1})[0], FIRST + 1
    queue.set_refused(refused, REASON)
    (first_day,) = queue.next_parcels(1, {})
    assert list(first_day.marks) == list(range(rest, rest + 96))
    queue.confirm([first_day])
    return store


def test_the_status_says_what_waits_and_what_is_refused_and_the_next_step(call: Run, store: Store) -> None:
    done = call("uplink", "status", "--tz", "UTC")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert lines[0] == "Reader          house-7"
    assert lines[1].startswith("Last confirmed  20")
    assert lines[2:] == [
        "Waiting         96",
        "Refused         1",
        "",
        f"{METER_ID}: 1 refused, 2025-11-23 00:00",
        f"  {REASON}",
        "",
        "When the cause is removed: iskra-server uplink resend --from 2025-11-23",
    ]
    said = json.loads(call("uplink", "status", "--json").stdout)
    assert (said["reader"], said["waiting"], said["refused"]) == ("house-7", 96, 1)
    assert [(group["state"], group["reason"], group["quarters"]) for group in said["groups"]] == [
        ("refused", REASON, 1),
        ("waiting", "", 96),
    ]
    (parcel,) = UplinkQueue(store).next_parcels(1, {})
    UplinkQueue(store).postpone(parcel, "it belongs to attic", 2_000_000_000)
    done = call("uplink", "status", "--tz", "UTC")
    assert f"{METER_ID}: 96 waiting, 2025-11-24 00:15 to 2025-11-25 00:00\n  it belongs to attic\n" in done.stdout
    assert "  Next attempt: 2033-05-18 03:33\n" in done.stdout


def test_resend_marks_a_period_again_and_what_was_refused(call: Run, store: Store) -> None:
    done = call("uplink", "resend", "--from", "2025-11-24", "--tz", "UTC")
    assert (done.returncode, done.stdout) == (0, "97 quarter-hours since 2025-11-24 00:00 will be sent again.\n")
    assert UplinkQueue(store).count() == 98
    done = call("uplink", "resend", "--from", "2025-11-23", "--meter", "12345678", "--tz", "UTC")
    assert done.stdout == f"193 quarter-hours of {METER_ID} since 2025-11-23 00:00 will be sent again.\n"
    done = call("uplink", "status")
    assert (done.returncode, "Refused         0\n" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (["--from", "soon"], 2, "'soon' is not a period"),
        (["--from", "2025-11-23", "--meter", "1 X"], 2, "The meter 1 X is not in history"),
        (["--from", "2030"], 1, "History holds no quarter-hour since 2030-01-01 00:00"),
        ([], 2, "Missing option '--from'"),
    ],
)
def test_a_wrong_request_changes_nothing(call: Run, store: Store, args: list[str], status: int, sentence: str) -> None:
    done = call("uplink", "resend", *args, "--tz", "UTC")
    assert (done.returncode, sentence in done.stderr, UplinkQueue(store).count()) == (status, True, 97)


def test_a_history_without_an_uplink_says_how_to_have_one(call: Run, tmp_path: Path) -> None:
    history(tmp_path, hours=1)
    for args in (["status"], ["resend", "--from", "today"]):
        done = call("uplink", *args)
        assert (done.returncode, "Set uplink.url and start iskra-server serve" in done.stderr) == (1, True)
    (tmp_path / "iskra-server.toml").write_text('[uplink]\nurl = "mqtt://house-7@127.0.0.1"\n')
    done = call("uplink", "status")
    assert (done.returncode, "has not been connected to its central server yet" in done.stderr) == (1, True)
