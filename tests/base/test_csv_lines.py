"""Files for spreadsheets: what is a number stays one, and no name is a formula."""

import csv
import re
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.base.csv_lines import csv_line, german_csv_line, unguarded

SOURCE = Path(__file__).parents[2] / "src" / "iskra_server"
FORMULAS = (
    "=1+1",
    "+49 30 1234",
    "-2+3",
    "@SUM(A1)",
    "  =1",
    '"=1',
    "'=",
    "\uff1d1",
    "=",
    "-",
    "+1,5",
    "-0x1f",
    "--1",
)
# of a text, and of one that a German Excel splits
INSIDE = {
    "Meyer;=1": "Meyer;'=1",
    'Meyer;"=1+1;': "Meyer;'\"=1+1;",
    "Meyer; +49; Ott;@A1": "Meyer;' +49; Ott;'@A1",
    "Meyer\n=1": "Meyer\n'=1",
    "\n=1": "'\n'=1",
    "\t=1": "'\t'=1",
}
PLAIN = (
    "",
    "Meyer",
    "Ott & Söhne",
    "'s Gravenhage",
    "a=1",
    "Meyer; Ott - 2; 'Kim'",
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


@pytest.mark.parametrize(("text", "told"), INSIDE.items())
def test_so_has_what_would_begin_a_cell_where_semicolons_separate(text: str, told: str) -> None:
    assert read(csv_line([text])) == [told]
    assert unguarded(told) == text


@given(text=st.text("=+-@;,'\" \t\r\na1", max_size=8))
def test_no_cell_is_a_formula_by_either_separator_and_the_text_comes_back(text: str) -> None:
    line = csv_line(["Meyer", text, 7])
    for separator in ",;":
        cells = [cell for row in csv.reader(StringIO(line, newline=""), delimiter=separator) for cell in row]
        assert not [cell for cell in cells if re.match(r"\s*[=+@-]", cell) and not re.fullmatch(r"[+-]?1+(,7)?", cell)]
    ((_, told, _),) = csv.reader(StringIO(line, newline=""))
    assert unguarded(told) == text


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


def test_a_german_line_has_semicolons_and_decimal_commas() -> None:
    cells: list[str | int] = ["a", "-1.50", 7, "2026-11-22 10:00:00", "x;y", "1.8.0", "a,b", "=1+1", "-x"]
    line = "a;-1,50;7;2026-11-22 10:00:00;\"x;y\";1.8.0;a,b;'=1+1;'-x\n"
    assert german_csv_line(cells) == line


def test_no_module_writes_csv_by_other_means() -> None:
    others = [
        path.name for path in SOURCE.rglob("*.py") if "csv.writer" in (text := path.read_text()) or "DictWriter" in text
    ]
    assert others == []
