"""Every way in which tag, version and changelog of a release can disagree."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import guard
from checkout import git
from release_repository import CHANGELOG, commit, set_version

PASSED = "version=0.1.0\nprerelease=false\nlatest=true\nimage_tags=0.1.0 0.1 latest\n"


def run_guard(repository: Path, tag: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "release/guard.py", tag, "--branch", "main"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_signed_tag_of_the_version_in_code_and_changelog_passes(
    repository: Path, sign: Callable[[str], None]
) -> None:
    sign("v0.1.0")
    assert run_guard(repository, "v0.1.0") == (0, PASSED, "")


def test_all_that_is_wrong_is_said_at_once(repository: Path) -> None:
    status, stdout, stderr = run_guard(repository, "0.2.0")
    assert (status, stdout) == (2, "")
    assert stderr.splitlines()[0] == "A tag of a release begins with v: v0.2.0"
    assert [line.split()[0] for line in stderr.splitlines()[1:-1]] == list(guard.PLACES)
    assert stderr.splitlines()[-1] == "There is no tag 0.2.0 here; make it with: git tag --sign 0.2.0"


def test_one_place_with_another_version_is_named(repository: Path) -> None:
    name = list(guard.PLACES)[1]
    set_version(repository, name, "0.1.1")
    assert guard.version_problems("0.1.0", repository) == [f"{name} says 0.1.1 and not 0.1.0; change one of them."]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (CHANGELOG.replace("## [0.1.0]", "## [Unreleased]\n\n- More.\n\n## [0.1.0]"), "still has lines under"),
        (CHANGELOG.replace("[0.1.0] - 2026-12-24", "[0.2.0] - 2026-12-24"), "begins with [0.2.0]"),
        (CHANGELOG.replace("2026-12-24", "soon"), "has no date"),
        (CHANGELOG.replace(" - 2026-12-24", ""), "has no date"),
        (CHANGELOG.replace("### New\n\n- Reads meters.\n\n", ""), "the section [0.1.0] is empty"),
        ("# Changelog\n", "has no section"),
    ],
)
def test_a_changelog_that_is_not_ready_is_refused(repository: Path, text: str, problem: str) -> None:
    (repository / guard.CHANGELOG).write_text(text)
    (sentence,) = guard.changelog_problems("0.1.0", repository)
    assert problem in sentence


def test_an_empty_section_for_the_next_version_may_stay(repository: Path) -> None:
    (repository / guard.CHANGELOG).write_text(CHANGELOG.replace("## [0.1.0]", "## [Unreleased]\n\n## [0.1.0]"))
    assert guard.changelog_problems("0.1.0", repository) == []


def test_a_stable_version_that_was_not_frozen_is_refused(repository: Path) -> None:
    missing = guard.frozen_problems("0.2.0", repository)
    assert [problem.partition(" ")[0] for problem in missing] == [name.format(version="0.2.0") for name in guard.FROZEN]
    assert missing[0].endswith("write it with: PYTHONPATH=tests python -m interfaces")
    assert guard.frozen_problems("0.2.0rc1", repository) == guard.frozen_problems("0.1.0", repository) == []


def test_a_tag_without_a_signature_is_refused(repository: Path) -> None:
    git("tag", "v0.1.0", root=repository)
    git("tag", "--annotate", "--message=x", "v0.1.1", root=repository)
    for tag in ("v0.1.0", "v0.1.1"):
        (problem,) = guard.tag_problems(tag, "main", repository)
        assert problem.startswith(f"Tag {tag} is not signed")


def test_a_tag_beside_the_branch_is_refused(repository: Path, sign: Callable[[str], None]) -> None:
    git("switch", "--quiet", "--create", "other", root=repository)
    commit(repository)
    sign("v0.1.0")
    (problem,) = guard.tag_problems("v0.1.0", "main", repository)
    assert problem == "Tag v0.1.0 is neither on main nor on 0.1; releases are made there. Merge first, then tag."


def test_a_fix_of_an_older_line_is_on_its_branch_and_not_the_latest(
    repository: Path, sign: Callable[[str], None]
) -> None:
    sign("v0.2.0")
    git("switch", "--quiet", "--create", "0.1", root=repository)
    commit(repository)
    sign("v0.1.0")
    assert guard.tag_problems("v0.1.0", "main", repository) == []
    expected = PASSED.replace("latest=true", "latest=false").replace(" latest", "")
    assert run_guard(repository, "v0.1.0") == (0, expected, "")


def test_a_tag_on_another_commit_than_the_one_built_is_refused(repository: Path, sign: Callable[[str], None]) -> None:
    sign("v0.1.0")
    commit(repository)
    (problem,) = guard.tag_problems("v0.1.0", "main", repository)
    assert "is not the one checked out here" in problem
