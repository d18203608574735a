"""`import`: shown before it is written; done twice it changes nothing; what is wrong is listed."""

from pathlib import Path

import pytest

from cli.recorded import FIRST, history
from command import OnTerminal, Run
from history.entries import METER, SIMULATED
from iskra_server.history.model.records import Exact
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

FIRST_S = FIRST * 900
UTC = {"TZ": "UTC"}
OWN = ["--meter", METER_ID]


def kept(folder: Path, file: str = "iskra.sqlite") -> dict[int, Exact]:
    """What history holds of the import: quarters after FIRST -> value."""
    store = Store(f"sqlite:///{folder}/.local/share/iskra-server/{file}")
    found = store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31)
    store.close()
    return {known.quarter - FIRST: known.value for known in found}


def known(folder: Path) -> list[tuple[str, str]]:
    store = Store(f"sqlite:///{folder}/.local/share/iskra-server/iskra.sqlite")
    found = [(meter.meter_id, meter.server_id) for meter in store.meters()]
    store.close()
    return found


def hourly(folder: Path, *extra: str, count: int = 3) -> None:
    lines = [f"{FIRST_S + 3600 * hour},{1000 + hour}.5" for hour in range(count)]
    (folder / "x.csv").write_text("\n".join(("timestamp,kwh", *lines, *extra)) + "\n")


def test_readings_of_every_hour_are_boundaries_of_full_hours(call: Run, tmp_path: Path) -> None:
    hourly(tmp_path)
    done = call("import", "x.csv", *OWN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"x.csv (kwh) imported for {METER_ID}: 3 new, 0 already there.\n"
    assert kept(tmp_path) == {0: Exact(10005, 2), 4: Exact(10015, 2), 8: Exact(10025, 2)}


def test_importing_twice_changes_nothing(call: Run, tmp_path: Path) -> None:
    hourly(tmp_path)
    call("import", "x.csv", *OWN)
    before = kept(tmp_path)
    done = call("import", "x.csv")
    assert done.stdout == f"x.csv (kwh) imported for {METER_ID}: 0 new, 3 already there.\n"
    assert kept(tmp_path) == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(call: Run, tmp_path: Path) -> None:
    hourly(tmp_path)
    done = call("import", "x.csv", *OWN, "--dry-run")
    assert done.stdout == f"x.csv (kwh) would be imported for {METER_ID}: 3 new, 0 already there.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    history(tmp_path, hours=1)
    before = kept(tmp_path)
    assert call("import", "x.csv", "--dry-run", "--skip-bad").returncode == 0
    assert kept(tmp_path) == before


def test_history_stays_as_it_is_where_the_file_differs(call: Run, tmp_path: Path) -> None:
    history(tmp_path, hours=1)
    before = kept(tmp_path)
    (tmp_path / "x.csv").write_text(f"{FIRST_S};100,1\n{FIRST_S + 3600};100,4\n{FIRST_S + 7200};101,0\n")
    done = call("import", "x.csv")
    assert done.stdout.endswith(": 1 new, 1 already there, 1 different (history keeps its own).\n")
    assert kept(tmp_path) == before | {8: Exact(1010, 2)}


def test_readings_that_history_cannot_take_are_counted(call: Run, tmp_path: Path) -> None:
    month_s = 30 * 86_400
    lines = [f"{FIRST_S + 60 + month_s * month},{1000 + month}" for month in range(3)]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    done = call("import", "x.csv", *OWN)
    why = "left out (not at :00, :15, :30 or :45, and none within 16 minutes on the other side of it)"
    assert (done.returncode, done.stdout) == (
        1, f"x.csv (kwh) imported for {METER_ID}: 0 new, 0 already there, 3 readings {why}.\n")  # fmt: skip
    assert kept(tmp_path) == {}
    (tmp_path / "x.csv").write_text("\n".join([f"{FIRST_S},999", *lines]))
    done = call("import", "x.csv", *OWN)
    assert (done.returncode, done.stdout) == (
        0, f"x.csv (kwh) imported for {METER_ID}: 1 new, 0 already there, 2 readings {why}.\n")  # fmt: skip


def test_lines_that_are_wrong_are_listed_and_nothing_is_written(call: Run, tmp_path: Path) -> None:
    hourly(tmp_path, f"{FIRST_S + 10800},999", "soon,1", *["x,y"] * 30)
    done = call("import", "x.csv", *OWN)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert lines[0] == "line 6: 'soon' is not a time; expected one like 2026-11-22T10:00:00+01:00, " + (
        "22.11.2026 10:00 or 1795338000"
    )
    assert lines[-2:] == [
        "and 12 more",
        "Nothing was imported: 32 lines have errors. Correct the file, or import the rest with --skip-bad.",
    ]
    assert len(lines) == 22
    assert kept(tmp_path) == {}


def test_lines_that_are_wrong_can_be_left_out(call: Run, tmp_path: Path) -> None:
    hourly(tmp_path, f"{FIRST_S + 10800},999")
    done = call("import", "x.csv", *OWN, "--skip-bad")
    assert done.returncode == 0
    assert done.stderr == "line 5: the counter goes back from 1002500 Wh to 999000 Wh\n"
    assert done.stdout.endswith("3 new, 0 already there, 1 line skipped.\n")
    assert len(kept(tmp_path)) == 3


def test_an_export_comes_back_whole(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path)
    call("export", "--bucket", "none", "--tz", "Europe/Berlin", "-o", "all.csv")
    path.unlink()
    done = call("import", "all.csv", *OWN)
    assert done.stdout == f"all.csv (iskra) imported for {METER_ID}: 386 new, 0 already there.\n"
    call("export", "--bucket", "none", "--tz", "Europe/Berlin", "-o", "again.csv")
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "all.csv").read_text()


def test_a_file_of_volkszaehler_is_interpolated(call: Run, tmp_path: Path) -> None:
    lines = [f"{(FIRST_S + second) * 1000};{1000 + second};1" for second in range(-30, 1800, 20)]
    (tmp_path / "vz.csv").write_text("# source: volkszaehler.org\n" + "\n".join(lines))
    assert call("import", "vz.csv", *OWN).stdout.endswith("2 new, 0 already there.\n")
    assert kept(tmp_path) == {0: Exact(1000, 0), 1: Exact(1900, 0)}


def test_statistics_of_home_assistant_are_readings_at_the_end_of_each_hour(call: Run, tmp_path: Path) -> None:
    rows = ["statistic_id\tunit\tstart\tstate\tsum", "sensor.x\tkWh\t23.11.2025 01:00\t100,5\t1,0"]
    (tmp_path / "x.tsv").write_text("\n".join([*rows, "sensor.y\tkWh\t23.11.2025 01:00\t7\t1"]))
    done = call("import", "x.tsv", *OWN, "--tz", "Europe/Berlin")
    assert done.returncode == 2
    assert done.stderr == (
        "iskra-server: x.tsv holds several statistics; name one with --statistic: sensor.x, sensor.y.\n"
    )
    call("import", "x.tsv", *OWN, "--tz", "Europe/Berlin", "--statistic", "sensor.x")
    assert kept(tmp_path) == {4: Exact(1005, 2)}


def test_another_counter_and_unit_can_be_named(call: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"{FIRST_S},7167\n")
    call("import", "x.csv", *OWN, "--register", "2.8.0", "--unit", "Wh", "--format", "kwh")
    store = Store(f"sqlite:///{tmp_path}/.local/share/iskra-server/iskra.sqlite")
    assert store.quarter_readings(METER_ID, EXPORT, [FIRST])[FIRST].value == Exact(7167, 0)
    store.close()


def test_simulated_history_stays_apart_from_real(call: Run, tmp_path: Path) -> None:
    history(tmp_path, meter=SIMULATED, file="simulated.sqlite")
    call("export", "--bucket", "none", "-o", "x.csv", IES_METERS="simulator:MT175")
    history(tmp_path)
    done = call("import", "x.csv")
    assert done.returncode == 2
    assert done.stderr == (
        "iskra-server: History holds a real meter and never mixes it with a simulated one. Change data_dir.\n"
    )
    hourly(tmp_path)
    assert "History holds a simulated meter" in call("import", "x.csv", IES_METERS="simulator:MT175").stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["none.csv"], "none.csv cannot be read: No such file or directory."),
        (["x.csv"], "History holds no meter yet. Start iskra-server serve, or import readings with --meter."),
        (["x.csv", "--meter", "mine"], "'mine' is not a meter; give the number on its label"),
        (["x.csv", *OWN, "--register", "16.7.0"], "1-0:16.7.0 is not a counter; give one such as --register 1.8.0"),
        (["x.csv", *OWN, "--register", "import"], "--register: 'import' is not an OBIS code"),
        (["empty.csv", *OWN], "empty.csv is empty."),
        (["x.csv", *OWN, "--format", "homeassistant"], "x.csv has no column statistic_id"),
    ],
)
def test_misuse_is_one_sentence(options: list[str], sentence: str, call: Run, tmp_path: Path) -> None:
    hourly(tmp_path)
    (tmp_path / "empty.csv").write_text("")
    done = call("import", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"iskra-server: {sentence}")
    assert done.stderr.count("\n") == 1


def test_a_meter_goes_by_its_server_id_too(call: Run, tmp_path: Path) -> None:
    hourly(tmp_path)
    assert call("import", "x.csv", "--meter", "0A0149534B0000BC614E").returncode == 0
    assert known(tmp_path) == [("1 ISK 00 12345678", "0a0149534b0000bc614e")]


@pytest.mark.parametrize("name", ["12345678", "1ISK0012345678", "1 isk 00 12345678"])
def test_a_known_meter_is_found_by_what_stands_on_it(name: str, call: Run, tmp_path: Path) -> None:
    hourly(tmp_path)
    call("import", "x.csv", "--meter", "1 ISK 00 12345678")
    done = call("import", "x.csv", "--meter", name)
    assert done.stdout == "x.csv (kwh) imported for 1 ISK 00 12345678: 0 new, 3 already there.\n"
    assert len(known(tmp_path)) == 1


@pytest.mark.parametrize("name", ["87654321", "1 ISK 00 87654321", "0a0149534b0000bc6150"])
def test_another_meter_is_begun_only_where_that_is_wanted(name: str, call: Run, tmp_path: Path) -> None:
    hourly(tmp_path)
    call("import", "x.csv", "--meter", "1 ISK 00 12345678")
    done = call("import", "x.csv", "--meter", name)
    assert done.returncode == 2
    assert "history holds 1 ISK 00 12345678" in done.stderr
    assert len(known(tmp_path)) == 1
    is_label = len(name) > 8
    assert call("import", "x.csv", "--meter", name, "--new-meter").returncode == (0 if is_label else 2)
    assert len(known(tmp_path)) == (2 if is_label else 1)


@pytest.mark.parametrize("file", ["-", "/dev/stdin"])
def test_a_pipe_is_imported_like_a_file(file: str, run: Run, tmp_path: Path) -> None:
    hourly(tmp_path)
    done = run("import", file, *OWN, stdin=(tmp_path / "x.csv").read_bytes())
    assert done.stdout == f"{file} (kwh) imported for {METER_ID}: 3 new, 0 already there.\n"


def test_an_empty_pipe_is_refused(run: Run) -> None:
    done = run("import", "-", *OWN)
    assert (done.returncode, done.stderr) == (2, "iskra-server: - is empty.\n")


def test_bytes_that_are_no_text_are_lines_that_are_wrong(call: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(f"{FIRST_S},1\n".encode() + b"\xff\x00\xfe,2\n")
    done = call("import", "x.csv", *OWN)
    assert done.returncode == 1
    assert done.stderr.startswith("line 2: ")


def test_a_file_that_is_no_table_is_one_sentence(call: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1763856000,1\n" + "x" * 200_000)
    done = call("import", "x.csv", *OWN)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("iskra-server: x.csv is not a table of text: field larger than field limit")


def test_a_cell_is_shown_short_and_without_what_a_terminal_obeys(call: Run, tmp_path: Path) -> None:
    hourly(tmp_path, f"\x1b[31m{'x' * 1000},1")
    assert call("import", "x.csv", *OWN).stderr.startswith(r"line 5: '\x1b[31mxxx")
    assert max(map(len, call("import", "x.csv", *OWN).stderr.splitlines())) < 160


def test_a_terminal_shows_how_far_it_is(terminal: OnTerminal, tmp_path: Path) -> None:
    hourly(tmp_path, count=5000)
    shown = terminal("import", "x.csv", *OWN)
    assert shown.end() == 0
    assert "reading" in shown.text
    assert "writing" in shown.text
    assert METER.meter_id in shown.text
