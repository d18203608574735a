"""Names and files of reports: no file is replaced without a word, and none is left half written."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from iskra_server.cli.ui.new_files import new_text_file
from iskra_server.cli.ui.report_files import check_new, group_of, parse_report_period
from iskra_server.cli.ui.usage_error import UsageError

NOW, BERLIN = datetime(2026, 11, 28, tzinfo=UTC), ZoneInfo("Europe/Berlin")


def test_a_group_and_a_period() -> None:
    group = group_of("tenant:Müller: 2nd floor")
    assert (group.kind, group.value) == ("tenant", "Müller: 2nd floor")
    begin, end = parse_report_period("2026-01..2026-06", NOW, BERLIN)
    assert (begin.astimezone(BERLIN).isoformat(), end.astimezone(BERLIN).isoformat()) == (
        "2026-01-01T00:00:00+01:00",
        "2026-07-01T00:00:00+02:00",
    )
    for text in ("2026..", "..2026", "2026..2026-13", ""):
        with pytest.raises(UsageError):
            parse_report_period(text, NOW, BERLIN)
    for text in ("Meyer", ":Meyer", "tenant:", ""):
        with pytest.raises(UsageError, match="is not a group"):
            group_of(text)


def test_no_file_is_replaced_without_a_word(tmp_path: Path) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    there.write_text("x")
    check_new([new], overwrite=False)
    check_new([new, there], overwrite=True)
    with pytest.raises(UsageError, match="there exists already"):
        check_new([new, there], overwrite=False)
    # of two names that differ by their case alone some file systems make one file
    with pytest.raises(UsageError, match="Two of the files"):
        check_new([tmp_path / "Meyer", tmp_path / "meyer"], overwrite=True)


def test_a_file_that_fails_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "report"
    with pytest.raises(KeyError), new_text_file(file) as text:
        text.write("half")
        raise KeyError
    assert list(file.parent.iterdir()) == []
    with new_text_file(file) as text:
        text.write("whole\n")
    assert (file.read_text(), list(file.parent.iterdir())) == ("whole\n", [file])
    with pytest.raises(UsageError, match="cannot be written"), new_text_file(file / "below") as text:
        text.write("")
