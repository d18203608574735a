"""`fleet allocate` on the same house, which has a plant on its roof; the example of docs/fleet.md."""

import csv
import re
import shlex
from pathlib import Path

import pytest
from sqlalchemy import update

from cli.small_house import DAY, PLANT, small_house
from command import Run
from iskra_server.fleet.central.solar_csv import NOTE
from iskra_server.history.store.schema import label
from iskra_server.history.store.store import Store

COMMAND = ("fleet", "allocate", "--group", "building:7", "--plant", PLANT, "--period", DAY, "--tz", "Europe/Berlin")


def test_the_dynamic_key(call: Run, tmp_path: Path) -> None:
    small_house(tmp_path)
    done = call(*COMMAND, "--key", "dynamic", "--to", "out")
    assert done.stderr == ""
    assert done.returncode == 0
    assert [" ".join(line.split()) for line in done.stdout.splitlines()[1:4]] == [
        "Meyer 18.800 5.360 13.440 2",
        "Ott & Söhne 9.400 2.680 6.720 2",
        "house 28.200 8.040 20.160 2",
    ]
    assert "The plant generated 9.440 kWh; 1.400 kWh of it were surplus." in done.stdout
    assert "Quarter-hours not divided: 2, because a reading at their edges is missing (Ott & Söhne 2)." in done.stdout
    assert "calibration law" in done.stdout
    months = (tmp_path / "out" / f"building-7-{DAY}-dynamic-months.csv").read_text().splitlines()
    assert months[1:] == [
        "2025-11,,9440.000,28200.000,8040.000,20160.000,1400.000,94,2,0," + NOTE,
        "2025-11,Meyer,,18800.000,5360.000,13440.000,,94,2,0," + NOTE,
        "2025-11,Ott & Söhne,,9400.000,2680.000,6720.000,,94,2,2," + NOTE,
    ]
    quarters = (tmp_path / "out" / f"building-7-{DAY}-dynamic-quarters.csv").read_text().splitlines()
    assert len(quarters) == 1 + 96 * 3


def test_the_example_of_the_documentation_is_what_is_printed(call: Run, tmp_path: Path) -> None:
    small_house(tmp_path)
    page = (Path(__file__).parents[3] / "docs" / "fleet-billing.md").read_text()
    command, printed = re.findall(r"```(?:console|text)\n(.*?)```", page[page.index("An example") :], re.DOTALL)[:2]
    done = call(*shlex.split(command)[1:], TZ="Europe/Berlin")
    assert [line.rstrip() for line in done.stdout.splitlines()][: printed.count("\n")] == printed.splitlines()


def test_a_name_is_neither_a_formula_nor_markup(call: Run, tmp_path: Path) -> None:
    name = "=Ott [b]"
    store = Store(f"sqlite:///{small_house(tmp_path)}")
    with store.transaction() as connection:
        connection.execute(update(label).where(label.c.value == "Ott & Söhne").values(value=name))
    store.close()
    (tmp_path / "key.csv").write_text(f"participant,share\nMeyer,50%\n'{name},0.25\n")
    done = call(*COMMAND, "--key", "static", "--shares", "key.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert name in done.stdout.splitlines()[1]
    with (tmp_path / f"building-7-{DAY}-static-months.csv").open() as file:
        assert [row["participant"] for row in csv.DictReader(file)] == ["", f"'{name}", "Meyer"]


def test_the_static_key(call: Run, tmp_path: Path) -> None:
    small_house(tmp_path)
    (tmp_path / "key.csv").write_text("participant,share\nMeyer,50%\nOtt & Söhne,0.25\n")
    done = call(*COMMAND, "--key", "static", "--shares", "key.csv", "--plant", PLANT[-8:])
    assert (done.returncode, done.stderr) == (0, "")
    assert "building-7-2025-11-23-static-quarters.csv" in done.stdout
    again = call(*COMMAND, "--key", "static", "--shares", "key.csv")
    assert (again.returncode, "add --overwrite" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--key", "static"), "A static key needs its file (--shares FILE)"),
        (("--key", "dynamic", "--shares", "key.csv"), "a dynamic key has none"),
        (("--key", "static", "--shares", "none.csv"), "none.csv cannot be read: No such file or directory."),
        (("--key", "static", "--shares", "key.csv"), "The key has no share for Ott & Söhne."),
        (("--key", "dynamic", "--plant-counter", "import"), f"{PLANT} has no counter import; see --plant-counter."),
        (("--key", "dynamic", "--plant", "17"), "The meter 17 is not in history"),
        (("--key", "dynamic", "--group", "building:9"), "No meter of building:9 belongs to a tenant in this period"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    call: Run, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    small_house(tmp_path)
    (tmp_path / "key.csv").write_text("participant,share\nMeyer,50%\n")
    done = call(*COMMAND, *arguments)
    assert done.returncode in {1, 2}
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.glob("*.part")) == []
