"""`export`: what is known, exactly, and nothing else."""

import datetime as dt
import subprocess
from datetime import datetime
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cli.recorded import FIRST, history
from command import COMMAND, DEADLINE_S, OnTerminal, Run, environment
from history.entries import METER, OTHER, SIMULATED, quarter_reading
from iskra_server.history.store.store import Store
from iskra_server.history.transfer.export_files import write_german_csv
from iskra_server.history.transfer.export_table import ExportTable

UTC = {"TZ": "UTC"}


def test_every_day_that_is_known_goes_to_stdout(run: Run, tmp_path: Path) -> None:
    history(tmp_path)
    done = run("export", **UTC)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "begin,end,import_kwh,export_kwh,quality\n"
        "2025-11-23T00:00:00+00:00,2025-11-24T00:00:00+00:00,9.6000,0.9600,measured\n"
        "2025-11-24T00:00:00+00:00,2025-11-25T00:00:00+00:00,9.6000,0.9600,measured\n"
    )


def test_a_reader_that_has_seen_enough_is_no_mistake(tmp_path: Path) -> None:
    history(tmp_path)
    done = subprocess.run(
        f"'{COMMAND}' export --bucket 15min | head -1; echo ${{PIPESTATUS[@]}}",
        shell=True,
        executable="/bin/bash",
        env=environment(tmp_path, **UTC),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (done.stdout.splitlines()[1], done.stderr) == ("0 0", "")


def test_the_history_of_the_demo_is_named_where_it_is_the_only_one(call: Run, tmp_path: Path) -> None:
    history(tmp_path, meter=SIMULATED, file="simulated.sqlite")
    refused = call("export")
    assert refused.returncode == 2
    assert refused.stderr.endswith("For that of the demo, set IES_METERS=simulator:MT175.\n")
    for command in (("export",), ("meters",), ("backup", "copy.sqlite")):
        assert call(*command, IES_METERS="simulator:MT175").returncode == 0


def test_what_the_counters_showed_in_a_period_of_a_zone(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    period = ("--from", "2025-11-24T00:00:00+01:00", "--to", "2025-11-24T00:15:00+01:00")
    done = call("export", METER.meter_id, "--bucket", "none", "--tz", "Europe/Berlin", *period)
    assert done.stdout == (
        "time,register,value_wh,quality,epoch\n"
        "2025-11-24T00:00:00+01:00,1-0:1.8.0*255,109200.0,measured,0\n"
        "2025-11-24T00:00:00+01:00,1-0:2.8.0*255,920.0,measured,0\n"
        "2025-11-24T00:15:00+01:00,1-0:1.8.0*255,109300.0,measured,0\n"
        "2025-11-24T00:15:00+01:00,1-0:2.8.0*255,930.0,measured,0\n"
    )


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--bucket", "hour"], 48),
        (["--bucket", "15min", "--from", "2025-11-23"], 96),
        (["--bucket", "hour", "--to", "2025-11-23"], 24),
        (["--bucket", "month"], 1),
        (["--bucket", "hour", "--from", "2025-11-24", "--to", "2025-11-24T02:00:00Z"], 2),
    ],
)
def test_any_period_in_any_bucket(options: list[str], rows: int, call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    assert call("export", *options, **UTC).stdout.count("\n") == 1 + rows


def test_a_german_excel_has_a_form_of_its_own(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    plain = call("export", **UTC).stdout.splitlines()
    german = call("export", "--format", "csv-de", **UTC).stdout.splitlines()
    assert german[0] == "\ufeff" + plain[0].replace(",", ";") + ";begin_utc;end_utc" and len(german) == len(plain)
    for row, line in zip(plain[1:], german[1:], strict=True):
        begin, end, *rest = row.split(",")
        times = [datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M:%S") for time in (begin, end)]
        assert line.split(";") == [*times, *(cell.replace(".", ",") for cell in rest), *times]


def test_the_hour_that_comes_twice_in_october_is_told_apart_in_utc() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = [datetime(2026, 10, 25, hour, tzinfo=dt.UTC).astimezone(berlin) for hour in (0, 1, 2)]
    rows = [(begin, end, Decimal("1.5")) for begin, end in pairwise(hours)]
    file = StringIO()
    write_german_csv(ExportTable({"begin": "time", "end": "time", "import_kwh": "energy"}, rows), file)
    assert file.getvalue().splitlines() == [
        "\ufeffbegin;end;import_kwh;begin_utc;end_utc",
        "2026-10-25 02:00:00;2026-10-25 02:00:00;1,5;2026-10-25 00:00:00;2026-10-25 01:00:00",
        "2026-10-25 02:00:00;2026-10-25 03:00:00;1,5;2026-10-25 01:00:00;2026-10-25 02:00:00",
    ]


def test_a_file_is_replaced_when_it_is_whole(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    (tmp_path / "x.csv").write_text("old")
    assert call("export", "-o", "x.csv", **UTC).stdout == ""
    assert (tmp_path / "x.csv").read_text() == call("export", **UTC).stdout
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("x")] == ["x.csv"]


@pytest.mark.parametrize("options", [["-o", "x.parquet"], ["-o", "x.parquet", "--format", "parquet"]])
def test_parquet_has_the_same_numbers(options: list[str], call: Run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install pyarrow")
    history(tmp_path)
    assert call("export", *options, **UTC).returncode == 0
    rows = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    assert [(str(row["import_kwh"]), row["quality"]) for row in rows] == [("9.6000", "measured")] * 2


def test_a_terminal_is_not_filled_with_bytes(terminal: OnTerminal) -> None:
    shown = terminal("export", "--format", "parquet")
    assert shown.end() == 2
    assert "name a file with -o FILE" in shown.text


def test_a_simulated_meter_says_so(call: Run, tmp_path: Path) -> None:
    history(tmp_path, meter=SIMULATED, file="simulated.sqlite")
    lines = call("export", IES_METERS="simulator:MT175", **UTC).stdout.splitlines()
    assert lines[0].endswith(",quality,simulated")
    assert lines[1].endswith(",measured,true")


def test_one_of_several_meters_must_be_named(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    history(tmp_path, meter=OTHER)
    assert call("export").stderr.startswith("iskra-server: History holds several meters; name one of them: ")
    assert call("export", OTHER.meter_id).returncode == 0


def test_a_meter_carries_on_those_that_it_replaced(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    store = Store(f"sqlite:///{tmp_path}/.local/share/iskra-server/iskra.sqlite")
    store.write(
        [quarter_reading(FIRST + 193, 0, meter=OTHER), quarter_reading(FIRST + 288, 5000, meter=OTHER)], [OTHER]
    )
    store.replace_meter(METER.meter_id, OTHER.meter_id)
    store.close()
    days = call("export", OTHER.meter_id, **UTC).stdout.splitlines()
    assert [day.split(",")[2] for day in days[1:]] == ["9.6000", "9.6000", "0.5000"]
    assert call("export", OTHER.meter_id, "--bucket", "none", **UTC).stdout.count("\n") == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--from", "soon"], "'soon' is not a period; expected"),
        (["--from", "2025", "--to", "2024"], "'2024' does not end after '2025' begins; give a later end."),
        (["--tz", "Mars"], "'Mars' is not a time zone"),
        (["--from", "2025-11-23T00:01:00Z", "--to", "2025-11-23T00:02:00Z"], "The period is shorter than 15 minutes"),
        (["--bucket", "minute"], "'minute' is not one of"),
        (["-o", "/nowhere/x.csv"], "/nowhere/x.csv cannot be written: No such file or directory."),
    ],
)
def test_misuse_is_one_sentence(options: list[str], sentence: str, call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    done = call("export", *options)
    assert (done.returncode, done.stdout) == (1 if "/nowhere" in sentence else 2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_meter_without_a_counter_is_no_answer(call: Run, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/.local/share/iskra-server/iskra.sqlite")
    store.write([], [METER])
    store.close()
    done = call("export")
    assert done.returncode == 1
    assert done.stderr == f"iskra-server: History holds no readings of {METER.meter_id} yet.\n"


def test_a_virtual_meter_is_computed_from_its_meters(call: Run, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{history(tmp_path)}")
    store.write([quarter_reading(FIRST + at, 100 * at, meter=OTHER) for at in range(193)], [OTHER])
    store.close()
    (tmp_path / "iskra-server.toml").write_text(
        f'[[virtual]]\nname = "Heat pump"\nplus = ["{METER.meter_id}"]\nminus = ["{OTHER.meter_id}"]\n'
    )
    done = call("export", "heatpump", "--from", "2025-11-23", **UTC)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "begin,end,import_kwh,export_kwh,quality\n"
        "2025-11-23T00:00:00+00:00,2025-11-24T00:00:00+00:00,8.6400,0.9600,measured\n"
    )
    assert "Heat pump  " in (listed := call("meters").stdout)
    assert listed.splitlines()[-1].endswith("  virtual")
    refused = call("export", "Heat pump", "--bucket", "none")
    assert refused.returncode == 2
    assert refused.stderr == (
        "iskra-server: Heat pump is a virtual meter without readings of its own; export those of its meters.\n"
    )


def test_a_mistake_in_a_virtual_meter_is_told(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    (tmp_path / "iskra-server.toml").write_text('[[virtual]]\nname = "Heat pump"\nplus = ["Z9"]\n')
    refused = call("export")
    assert refused.returncode == 2
    assert refused.stderr.startswith("iskra-server: virtual.1.plus names 'Z9', which is no meter: no meter has a")
