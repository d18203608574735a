import pytest

from iskra_server.history.model.records import EpochStart, Exact, QuarterReading
from iskra_server.history.transfer.file_rows import BadRow, RecordRow
from iskra_server.history.transfer.own_export import read_records
from samples import IMPORT, METER_ID

HEADER = "time,register,value_wh,quality,epoch\n"
QUARTER = 1_795_338_000 // 900


def rows(*lines: str, header: str = HEADER) -> list[RecordRow | BadRow]:
    return list(read_records([header, *(f"{line}\n" for line in lines)], METER_ID))


def test_a_boundary_is_read_back() -> None:
    found = rows("2026-11-22T10:00:00+01:00,1-0:1.8.0*255,10732309.1,interpolated,2")
    assert found == [RecordRow(2, QuarterReading(METER_ID, IMPORT, QUARTER, Exact(107323091, -1), "interpolated", 2))]


def test_an_epoch_is_read_back_from_its_two_rows() -> None:
    at = "2026-11-22T10:07:31+01:00,1-0:1.8.0*255"
    found = rows(f"{at},10.5,before,1", f"{at},0.2,after,1")
    assert found == [RecordRow(3, EpochStart(METER_ID, IMPORT, 1, QUARTER * 900 + 451, Exact(105, -1), Exact(2, -1)))]


def test_an_epoch_without_a_last_value_is_read_back() -> None:
    found = rows("2026-11-22T10:07:31+01:00,1-0:1.8.0*255,0.2,after,1")
    assert [
        row.record.before for row in found if isinstance(row, RecordRow) and isinstance(row.record, EpochStart)
    ] == [None]


def test_a_last_value_belongs_to_its_own_epoch_alone() -> None:
    found = rows(
        "2026-11-22T10:07:31+01:00,1-0:2.8.0*255,10.5,before,1", "2026-11-22T10:07:31+01:00,1-0:1.8.0*255,0.2,after,1"
    )
    assert [
        row.record.before for row in found if isinstance(row, RecordRow) and isinstance(row.record, EpochStart)
    ] == [None]


def test_the_column_simulated_and_empty_lines_change_nothing() -> None:
    line = "2026-11-22T10:00:00+01:00,1-0:1.8.0*255,1,measured,0"
    (marked,) = rows("", f"{line},true", header=HEADER.replace("\n", ",simulated\n"))
    assert marked == RecordRow(3, QuarterReading(METER_ID, IMPORT, QUARTER, Exact(1, 0), "measured"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-11-22T10:00:00+01:00,1-0:1.8.0*255,1,measured", "it has 4 columns"),
        ("yesterday,1-0:1.8.0*255,1,measured,0", "'yesterday' is not a time"),
        ("2026-11-22T10:00:01+01:00,1-0:1.8.0*255,1,measured,0", "not at the beginning of a quarter"),
        ("2026-11-22T10:00:00.5+01:00,1-0:1.8.0*255,1,measured,0", "not a whole second"),
        ("2026-11-22T10:00:00+01:00,import,1,measured,0", "'import' is not an OBIS code"),
        ("2026-11-22T10:00:00+01:00,1-0:1.8.0*255,one,measured,0", "'one' is not a number"),
        ("2026-11-22T10:00:00+01:00,1-0:1.8.0*255,1,guessed,0", "'guessed' is not a quality"),
        ("2026-11-22T10:00:00+01:00,1-0:1.8.0*255,1,measured,-1", "'-1' is not the number of an epoch"),
    ],
)
def test_a_malformed_row_is_named_with_its_line(line: str, reason: str) -> None:
    (bad,) = rows(line)
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert reason in bad.reason
