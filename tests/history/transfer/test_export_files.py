import io
import re
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from iskra_server.base.installation import how_to_add
from iskra_server.history.transfer.export_files import NoParquet, write_csv, write_german_csv, write_parquet
from iskra_server.history.transfer.export_table import ExportTable

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 11, 22, 9, tzinfo=UTC).astimezone(BERLIN)
LARGE = Decimal("9223372036854775807")


def table() -> ExportTable:
    return ExportTable(
        {"time": "time", "value_wh": "energy", "quality": "text", "epoch": "number", "simulated": "flag"},
        iter([(AT, Decimal("10732309.1"), "measured", 0, True), (AT, LARGE, "a,b", 1, True), (AT, None, "", 1, True)]),
    )


def test_csv_is_exact_and_its_times_have_an_offset() -> None:
    text = io.StringIO()
    write_csv(table(), text)
    assert text.getvalue() == (
        "time,value_wh,quality,epoch,simulated\n"
        "2026-11-22T10:00:00+01:00,10732309.1,measured,0,true\n"
        '2026-11-22T10:00:00+01:00,9223372036854775807,"a,b",1,true\n'
        "2026-11-22T10:00:00+01:00,,,1,true\n"
    )


def test_a_german_excel_gets_semicolons_commas_and_times_that_it_knows() -> None:
    text = io.StringIO()
    write_german_csv(table(), text)
    assert text.getvalue().splitlines() == [
        "\ufefftime;value_wh;quality;epoch;simulated;time_utc",
        "2026-11-22 10:00:00;10732309,1;measured;0;true;2026-11-22 09:00:00",
        "2026-11-22 10:00:00;9223372036854775807;a,b;1;true;2026-11-22 09:00:00",
        "2026-11-22 10:00:00;;;1;true;2026-11-22 09:00:00",
    ]


def test_a_number_has_no_exponent() -> None:
    text = io.StringIO()
    write_csv(ExportTable({"value_wh": "energy"}, [(Decimal("0E-9"),), (Decimal("1E-9"),)]), text)
    assert text.getvalue() == "value_wh\n0.000000000\n0.000000001\n"


def test_parquet_is_exact_and_keeps_the_zone(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install pyarrow")
    with (tmp_path / "x.parquet").open("wb") as file:
        write_parquet(table(), file, BERLIN)
    found = parquet.read_table(tmp_path / "x.parquet")
    assert [str(field.type) for field in found.schema] == [
        "timestamp[us, tz=Europe/Berlin]",
        "decimal128(38, 1)",
        "string",
        "int64",
        "bool",
    ]
    assert found.column("value_wh").to_pylist() == [Decimal("10732309.1"), LARGE, None]
    assert found.column("time").to_pylist()[0] == AT


def test_duckdb_reads_parquet(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed: pip install duckdb")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install pyarrow")
    with (tmp_path / "x.parquet").open("wb") as file:
        write_parquet(table(), file, BERLIN)
    query = f"SELECT typeof(value_wh), value_wh, epoch_ms(time) FROM '{tmp_path}/x.parquet' LIMIT 1"
    with duckdb.connect() as connection:
        assert connection.execute(query).fetchall() == [("DECIMAL(38,1)", Decimal("10732309.1"), 1_795_338_000_000)]


def test_an_empty_table_is_a_file_too(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install pyarrow")
    with (tmp_path / "x.parquet").open("wb") as file:
        write_parquet(ExportTable({"time": "time", "import_kwh": "energy"}, []), file, BERLIN)
    assert parquet.read_table(tmp_path / "x.parquet").num_rows == 0


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NoParquet, match=re.escape(f"{how_to_add('parquet')}.")):
        write_parquet(table(), io.BytesIO(), BERLIN)


def test_the_library_is_not_imported_for_csv() -> None:
    code = "import sys, iskra_server.cli.commands.export; print('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
