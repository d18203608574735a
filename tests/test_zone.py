import pytest

from iskra_server.zone import zone


def test_a_configured_zone_is_taken() -> None:
    assert zone("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "\0", "Europe"])
def test_anything_else_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        zone(name)


@pytest.mark.parametrize(("variable", "expected"), [("Asia/Kathmandu", "Asia/Kathmandu"), (":UTC", "UTC")])
def test_without_one_it_is_the_machines(variable: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", variable)
    assert zone("").key == expected


def test_a_machine_that_has_none_is_on_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "no zone")
    assert zone("").key
