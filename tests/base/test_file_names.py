"""Names of files that users name, and how a browser is told of them."""

import pytest

from iskra_server.base.file_names import attachment, file_name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Meyer", "tenant-Meyer-2026.html"),
        ("../../etc/passwd", "tenant-.._.._etc_passwd-2026.html"),
        ("Öz & Co. / 2", "tenant-Öz_Co._2-2026.html"),
        ("x" * 300, f"tenant-{'x' * 60}-2026.html"),
        ("x" + "東" * 60, f"tenant-x{'東' * 33}-2026.html"),
    ],
)
def test_a_file_name_stays_in_its_folder(value: str, name: str) -> None:
    assert file_name("tenant", value, "2026", suffix="html") == name


def test_two_long_parts_of_any_script_are_a_name_that_file_systems_allow() -> None:
    name = file_name("𠮷" * 60, "東" * 60, "2026-11-22_2026-11-30", "12345", suffix="html")
    assert len(name.encode()) <= 255
    assert name.endswith("-2026-11-22_2026-11-30-12345.html")


def test_a_name_that_is_not_ascii_is_quoted_for_the_browser() -> None:
    assert attachment("a-1.csv") == {"content-disposition": 'attachment; filename="a-1.csv"'}
    assert attachment("Öz.csv") == {"content-disposition": "attachment; filename*=UTF-8''%C3%96z.csv"}
