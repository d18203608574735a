"""What docs/compatibility.md promises: no name that a version had disappears, and no type or unit changes."""

from pathlib import Path

import pytest

from interfaces import FROZEN, interfaces

VERSIONS = sorted(FROZEN.glob("*.txt"))


@pytest.mark.parametrize("frozen", VERSIONS, ids=lambda file: file.stem)
def test_everything_that_an_earlier_version_had_is_still_there(frozen: Path) -> None:
    gone = sorted(set(frozen.read_text().splitlines()) - set(interfaces()))
    hint = (
        "not released yet: PYTHONPATH=tests python -m interfaces; else docs/compatibility.md says how to deprecate it"
    )
    assert not gone, hint


def test_a_field_that_disappears_or_changes_its_type_is_noticed() -> None:
    names = interfaces()
    assert "GET /api/electricity/cumulated: value: number" in names
    assert "key server.port" in names
    assert "variable IES_PORT" in names
    assert "command restore --quiet" in names
    assert "register energy_import: 1-0:1.8.0*255 in Wh" in names
    assert VERSIONS
