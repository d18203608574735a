"""Files for spreadsheets: what is a number stays one, and no name is a formula."""

import csv
from io import StringIO
from pathlib import Path

import pytest

from iskra_server.base.csv_lines import csv_line, unguarded

SOURCE = Path(__file__).parents[2] / "src" / "iskra_server"
FORMULAS = (
    "=1+1",
    "+49 30 1234",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1",
    "=",
    "-",
    "+1,5",
    "-0x1f",
    "--1",
)
PLAIN = (
    "",
    "Meyer",
    "Ott & Söhne",
    "'s Gravenhage",
    "'=",
    "a=1",
    "1-0:1.8.0*255",
    "2026-11-22T10:00:00+01:00",
    'say "hi", he',
)
NUMBERS = ("-1", "+1", "0", "-12.50", "1.5", "10732309.1")


def read(line: str) -> list[str]:
    (row,) = csv.reader(StringIO(line))
    return row


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_compute_has_an_apostrophe(text: str) -> None:
    told = read(csv_line(["Meyer", text, 7]))
    assert told == ["Meyer", f"'{text}", "7"]
    assert unguarded(told[1]) == text


@pytest.mark.parametrize("text", [*PLAIN, *NUMBERS])
def test_everything_else_is_as_it_is(text: str) -> None:
    assert read(csv_line([text, -7])) == [text, "-7"]


@pytest.mark.parametrize("text", ["Meyer", "'s Gravenhage", "", "-1", "'"])
def test_only_a_guard_is_taken_away(text: str) -> None:
    assert unguarded(text) == text


def test_a_line_is_that_of_the_library() -> None:
    cells = ["a", "b,c", 'd"e', "f\ng", "h i", "", "ü;é"]
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    assert csv_line(cells) == text.getvalue()


def test_no_module_writes_csv_by_other_means() -> None:
    others = [
        path.name for path in SOURCE.rglob("*.py") if "csv.writer" in (text := path.read_text()) or "DictWriter" in text
    ]
    assert others == []
