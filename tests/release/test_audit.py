from typing import Any

import pytest

from audit import LOCKS, vulnerabilities

GOOD = {"name": "starlette", "version": "1.0", "vulns": []}
BAD: dict[str, Any] = {
    "name": "h11",
    "version": "0.15",
    "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["0.16", "1.0"], "aliases": [], "description": ""},
        {"id": "PYSEC-2", "fix_versions": [], "aliases": [], "description": ""},
    ],
}


def test_each_vulnerability_is_a_line_with_the_version_that_mends_it() -> None:
    assert vulnerabilities({"dependencies": [GOOD]}) == []
    assert vulnerabilities({"dependencies": [GOOD, BAD]}) == [
        "h11 0.15: PYSEC-1, mended in 0.16 or 1.0",
        "h11 0.15: PYSEC-2, mended in no version yet",
    ]


def test_a_package_that_was_not_looked_up_is_not_good() -> None:
    """pip-audit itself then says that no known vulnerabilities were found."""
    with pytest.raises(LookupError, match="not found"):
        vulnerabilities({"dependencies": [GOOD, {"name": "x", "skip_reason": "x (1.0) not found"}]})


def test_all_locks_are_looked_up_those_of_users_first() -> None:
    assert [lock.stem for lock in LOCKS[:2]] == ["image", "runtime"]
    assert {"build", "dev", "release"} <= {lock.stem for lock in LOCKS}
