from pathlib import Path

import pytest

from cli.recorded import history
from command import Run
from iskra_server.fleet.central import queries as fleet
from iskra_server.history.store.schema import ALWAYS, label
from iskra_server.history.store.store import Store
from samples import METER_ID

# 2026-03-01 and 2026-07-01 in Berlin
MARCH, JULY = 1_772_319_600 // 900, 1_782_856_800 // 900


def labels(path: Path) -> list[tuple[str, str, int, int]]:
    store = Store(f"sqlite:///{path}")
    columns = label.c.kind, label.c.value, label.c.from_quarter, label.c.to_quarter
    rows = store.query(label.select().with_only_columns(*columns).order_by(*columns))
    store.close()
    return [tuple(row) for row in rows]


def test_a_table_groups_meters(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path, hours=1)
    (tmp_path / "tenants.csv").write_text(f"meter,building,tenant\n{METER_ID},7,Meyer\n1 ISK 00 00000009,7,Huber\n")
    done = call("groups", "tenants.csv")
    assert (done.returncode, done.stdout) == (1, "1 meters are assigned to groups: building, tenant.\n")
    assert "Not in history: 1 ISK 00 00000009" in done.stderr
    store = Store(f"sqlite:///{path}")
    assert [size.value for size in fleet.groups(store, "tenant", limit=5, now=0)] == ["Meyer"]
    # the column of the meter is no kind of group
    assert fleet.groups(store, "meter", limit=5, now=0) == []
    store.close()


def test_a_table_of_a_spreadsheet_names_meters_as_they_are_labelled(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path, hours=1)
    compact, serial = METER_ID.replace(" ", "").lower(), METER_ID[-8:]
    (tmp_path / "t.csv").write_text(f"\ufeffmeter;building;tenant\n{compact};7;Meyer, Ott\n", encoding="utf-8")
    assert call("groups", "t.csv").stdout == "1 meters are assigned to groups: building, tenant.\n"
    assert labels(path) == [("building", "7", 0, ALWAYS), ("tenant", "Meyer, Ott", 0, ALWAYS)]
    (tmp_path / "t.csv").write_text(f"meter,tenant\n{serial},Kim\n{METER_ID},Neu\n")
    done = call("groups", "t.csv")
    assert f"Lines 2 and 3 of t.csv overlap: the meter {METER_ID} can have one tenant" in done.stderr


def test_a_table_with_days_gives_periods_and_again_replaces_them(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path, hours=1)
    (tmp_path / "iskra-server.toml").write_text('[server]\ntime_zone = "Europe/Berlin"\n')
    table = tmp_path / "tenants.csv"
    table.write_text(
        f"meter,from,to,tenant,tariff\n{METER_ID},,2026-03-01,Meyer,\n{METER_ID},2026-03-01,2026-07-01,,day\n"
        f"{METER_ID},2026-07-01,,Neu,night\n"
    )
    assert call("groups", "tenants.csv").returncode == 0
    assert labels(path) == [
        ("tariff", "day", MARCH, JULY),
        ("tariff", "night", JULY, ALWAYS),
        ("tenant", "Meyer", 0, MARCH),
        ("tenant", "Neu", JULY, ALWAYS),
    ]
    table.write_text(f"meter,tenant,from\n{METER_ID},Kim,2026-07-01\n")
    assert call("groups", "tenants.csv").returncode == 0
    assert labels(path) == [
        ("tariff", "day", MARCH, JULY),
        ("tariff", "night", JULY, ALWAYS),
        ("tenant", "Kim", JULY, ALWAYS),
    ]
    table.write_text(f"meter,tenant,tariff\n{METER_ID},,\n")
    assert call("groups", "tenants.csv").returncode == 0
    assert labels(path) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "needs a header"),
        ("meter\nx\n", "needs a header"),
        ("meter,from,to\nx,,\n", "needs a header"),
        ("meter,building\nx\n", "Line 2"),
        ("meter,building\nx,7,8\n", "Line 2"),
        ("meter,,building\nx,1,7\n", "a column without a name"),
        ("meter,building,building\nx,1,7\n", "a name twice"),
        ("meter,from,tenant\n\nx,31.2.2026,Meyer\n", "Line 3 of tenants.csv: '31.2.2026' is not a day"),
        ("meter,von,tenant\nx,01.03.2026,Meyer\n", "Line 2 of tenants.csv: the column von has a day, 01.03.2026"),
        ("meter,until,tenant\nx,2026-03-01,Meyer\n", "Days stand in the columns from and to"),
        ("meter,tenant\n,Meyer\n", "Line 2 of tenants.csv has no number in the column meter"),
        ("meter,from,tenant\nx,20260301,Meyer\n", "write it like 2026-03-01"),
        ("meter,to,tenant\nx,9999-12-31,Meyer\n", "is not a day"),
        ("meter,from,to,tenant\nx,2026-03-01,2026-03-01,Meyer\n", "must be later than from, 2026-03-01"),
        (
            "meter,tenant\nx,Meyer\ny,Kim\nx,Neu\n",
            "Lines 2 and 4 of tenants.csv overlap: the meter x can have one tenant",
        ),
        ("meter,from,to,tenant\nx,2026-03-01,,Neu\nx,,2026-03-02,Meyer\n", "Lines 2 and 3"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(call: Run, tmp_path: Path, content: str | None, sentence: str) -> None:
    history(tmp_path, hours=1)
    if content is not None:
        (tmp_path / "tenants.csv").write_text(content)
    done = call("groups", "tenants.csv")
    assert (done.returncode, sentence in " ".join(done.stderr.split())) == (2, True), done.stderr


def test_a_table_of_a_german_spreadsheet(call: Run, tmp_path: Path) -> None:
    """Capital letters in the header, days with dots, and empty lines at the end."""
    path = history(tmp_path, hours=1)
    (tmp_path / "iskra-server.toml").write_text('[server]\ntime_zone = "Europe/Berlin"\n')
    (tmp_path / "t.csv").write_text(f"Meter;From;To;Tenant\n{METER_ID};1.3.2026;01.07.2026;Meyer\n;;;\n;;;\n")
    done = call("groups", "t.csv")
    assert (done.returncode, done.stdout) == (0, "1 meters are assigned to groups: tenant.\n"), done.stderr
    assert labels(path) == [("tenant", "Meyer", MARCH, JULY)]
    (tmp_path / "t.csv").write_bytes(f"meter;tenant\n{METER_ID};M\xfcller\n".encode("latin-1"))
    assert "t.csv is not a CSV file in UTF-8; in Excel, save it as CSV UTF-8." in call("groups", "t.csv").stderr


def test_what_is_probably_a_mistake_is_told(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path, hours=1)
    (tmp_path / "iskra-server.toml").write_text('[server]\ntime_zone = "Europe/Berlin"\n')
    table = tmp_path / "t.csv"
    table.write_text(
        f"meter,from,to,building,tenant\n{METER_ID},2026-03-01,2026-06-30,7,Meyer\n{METER_ID},2026-07-01,,8,Meyer\n"
    )
    done = call("groups", "t.csv")
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "1 meters are assigned to groups: building, tenant.",
            f"Lines 2 and 3 of t.csv: on 2026-06-30 the meter {METER_ID} has no building, no tenant. to is the first "
            "day that does not belong to the period any more; write 2026-07-01 if 2026-06-30 belongs to it.",
            "Meyer is a tenant in the buildings 7, 8: one tenant with one statement, and a token for him shows all "
            "of it. Give two people two names.",
        ],
    )
    # a flat may be empty for a day, and somebody may have flats in two houses
    assert labels(path)[0] == ("building", "7", MARCH, JULY - 96)
    # it was empty for two days
    table.write_text(f"meter,from,to,tenant\n{METER_ID},,2026-06-29,Meyer\n{METER_ID},2026-07-01,,Kim\n")
    assert call("groups", "t.csv").stdout == "1 meters are assigned to groups: tenant.\n"
