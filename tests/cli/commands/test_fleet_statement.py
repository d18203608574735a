"""`fleet statement` on a small house with two tenants."""

import csv
from io import StringIO
from pathlib import Path

import pytest

from cli.small_house import DAY, MEYER_WH, PLANT, small_house
from command import Run

PERIOD = ("--period", DAY, "--tz", "Europe/Berlin")


def test_a_statement_as_a_page_and_as_a_table(call: Run, tmp_path: Path) -> None:
    small_house(tmp_path)
    page = call("fleet", "statement", "--group", "tenant:Meyer", *PERIOD, "--lang", "de", "-o", "meyer.html")
    assert (page.returncode, page.stdout, page.stderr) == (0, "", "")
    text = (tmp_path / "meyer.html").read_text()
    assert "<h1>Energieaufstellung</h1>" in text
    assert "Mieter Meyer" in text
    table = call("fleet", "statement", "--group", "tenant:Meyer", *PERIOD, "--format", "csv")
    rows = list(csv.DictReader(StringIO(table.stdout)))
    assert [row["energy_wh"] for row in rows if row["kind"] == "total"] == [str(96 * MEYER_WH)] * 2
    by_name = call("fleet", "statement", "--group", "tenant:Meyer", *PERIOD, "-o", "meyer.csv")
    assert (by_name.returncode, (tmp_path / "meyer.csv").read_text()) == (0, table.stdout)


def test_the_language_is_that_of_the_server(call: Run, tmp_path: Path) -> None:
    small_house(tmp_path)
    page = call("fleet", "statement", "--group", "tenant:Meyer", *PERIOD, IES_SERVER_LANGUAGE="de")
    assert '<html lang="de">' in page.stdout


def test_one_file_for_each_tenant_and_none_is_replaced_silently(call: Run, tmp_path: Path) -> None:
    small_house(tmp_path)
    command = ("fleet", "statement", "--group", "building:7", "--each", "tenant", "--to", "out", *PERIOD)
    done = call(*command)
    plant = f"{PLANT} belongs to no tenant from 2025-11-23 00:00 to 2025-11-24 00:00: in none of them."
    assert (done.returncode, done.stdout) == (0, f"2 statements are in out.\n{plant}\n")
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == ["tenant-Meyer-2025-11-23.html", "tenant-Ott_Söhne-2025-11-23.html"]
    first = (tmp_path / "out" / names[0]).read_text()
    assert "Meyer" in first
    assert "Ott" not in first
    again = call(*command)
    sentence = "out/tenant-Meyer-2025-11-23.html and 1 more exist already; add --overwrite to replace them"
    assert (again.returncode, sentence in again.stderr) == (2, True)
    assert (tmp_path / "out" / names[0]).read_text() == first
    assert call(*command, "--overwrite").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence", "status"),
    [
        (("--group", "Meyer"), "'Meyer' is not a group; write it like tenant:Meyer or building:7.", 2),
        (("--group", "tenant:Meyer", "--period", "2026-13"), "'2026-13' is not a period", 2),
        (("--group", "tenant:Meyer", "--period", "2026-06..2026-01"), "does not end after", 2),
        (("--group", "building:7", "--period", "2999"), "The period 2999 has not begun yet.", 2),
        (("--group", "building:7", "--each", "tenant"), "--each needs a folder", 2),
        (("--group", "building:7", "--to", "out"), "--each needs a folder", 2),
        (("--group", "building:9", "--each", "tenant", "--to", "out"), "No meter of building:9 belongs to a tenant", 1),
        (("--group", "building:9", "-o", "meyer.html"), "No meter belongs to building:9 in this period", 1),
        (("--group", "tenant:Meyer", "-o", "/proc/meyer.html"), "/proc/meyer.html cannot be written", 1),
        (("--group", "tenant:Meyer", "-o", "."), ". exists already", 2),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    call: Run, tmp_path: Path, arguments: tuple[str, ...], sentence: str, status: int
) -> None:
    small_house(tmp_path)
    done = call("fleet", "statement", *arguments)
    assert done.returncode == status
    assert sentence in done.stderr
    assert done.stderr.count("\n") <= 1
