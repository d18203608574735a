from importlib.resources import files
from pathlib import Path

import pytest

from iskra_server.base import timezone as zones
from iskra_server.base.timezone import detect_zone, zone


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The /etc of a machine that says nothing."""
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(zones, "_LOCALTIME", tmp_path / "localtime")
    monkeypatch.setattr(zones, "_TIMEZONE", tmp_path / "timezone")
    return tmp_path


def content(name: str) -> bytes:
    return (files("tzdata") / "zoneinfo" / name).read_bytes()


def test_a_configured_zone_is_used() -> None:
    assert zone("Europe/Berlin").key == "Europe/Berlin"
    assert detect_zone("Europe/Berlin").reason == "configured"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "\0", "Europe"])
def test_an_unknown_zone_is_an_error_with_its_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        zone(name)


@pytest.mark.parametrize(("variable", "expected"), [("Asia/Kathmandu", "Asia/Kathmandu"), (":UTC", "UTC")])
def test_without_a_configured_zone_tz_counts(variable: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", variable)
    assert (zone("").key, detect_zone("").reason) == (expected, "variable")


def test_a_machine_without_a_zone_is_on_utc(machine: Path) -> None:
    assert (zone("").key, detect_zone("").reason) == ("UTC", "none")
    (machine / "localtime").write_bytes(b"no zone")
    assert detect_zone("").reason == "none"


def test_the_link_localtime_names_the_zone(machine: Path) -> None:
    target = machine / "zoneinfo/Asia/Tokyo"
    target.parent.mkdir(parents=True)
    target.write_bytes(content("Asia/Tokyo"))
    (machine / "localtime").symlink_to(target)
    assert (zone("").key, detect_zone("").reason) == ("Asia/Tokyo", "link")


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Kathmandu", "America/New_York", "Pacific/Chatham"])
def test_a_copy_is_recognised_by_its_content(machine: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "TZPATH", ())
    (machine / "localtime").write_bytes(content(name))
    assert (zone("").key, detect_zone("").reason) == (name, "copy")


def test_among_equal_zones_the_one_in_etc_timezone_is_used(machine: Path) -> None:
    (machine / "localtime").write_bytes(content("Europe/Stockholm"))
    (machine / "timezone").write_text("Europe/Stockholm\n")
    assert zone("").key == "Europe/Stockholm"


def test_a_copy_of_another_release_is_recognised_by_its_rules(machine: Path) -> None:
    """Its past may be told otherwise: more transitions, other names."""
    old = content("Europe/Berlin").replace(b"BMT", b"XMT").replace(b"CEMT", b"CEXT")
    assert old != content("Europe/Berlin")
    (machine / "localtime").write_bytes(old)
    assert (zone("").key, detect_zone("").reason) == ("Europe/Berlin", "copy")
