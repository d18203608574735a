"""release-check with make targets that pass, fail and lack something; and, slow, with those of this repository."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import guard
from checkout import git
from release_repository import CHANGELOG, ROOT, commit

MAKEFILE = """
.PHONY: dist sbom deb docs-site image compose-file app-repository
dist:
\t@echo wheel > dist/server.whl
sbom:
\t@echo bill > dist/server.cdx.json && echo "37 components"
deb:
\t@echo "no dpkg-deb on this machine" >&2; exit 69
docs-site image compose-file app-repository:
"""


def check(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "release/check.py", *arguments],
        cwd=repository,
        # not those of the make that runs this test
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )


def states(stdout: str) -> dict[str, str]:
    """State of each step."""
    rows = re.findall(r"^(.{16}) (passed|failed|not possible here) +\d+ s  ", stdout, re.MULTILINE)
    return {name.strip(): state for name, state in rows}


@pytest.fixture
def releasable(repository: Path) -> Path:
    (repository / "Makefile").write_text(MAKEFILE)
    commit(repository)
    return repository


def test_each_step_says_what_it_did_or_why_not(releasable: Path) -> None:
    done = check(releasable, "0.1.0")
    assert done.returncode == 0, done.stderr
    not_here = {name for name, state in states(done.stdout).items() if state == "not possible here"}
    assert not_here == {"tag", "deb"} and set(states(done.stdout).values()) == {"passed", "not possible here"}
    assert "no dpkg-deb on this machine" in done.stdout and "37 components" in done.stdout
    dist = releasable / "dist"
    digest = hashlib.sha256(b"wheel\n").hexdigest()
    assert re.search(rf"^server\.whl +6 bytes  {digest}$", done.stdout, re.MULTILINE)
    assert f"{digest}  server.whl\n" in (dist / "SHA256SUMS").read_text()
    assert (dist / "RELEASE-NOTES.md").read_text() == "### New\n\n- Reads meters.\n"


def test_a_failed_step_does_not_stop_the_others_but_fails_the_check(releasable: Path) -> None:
    broken = MAKEFILE.replace(
        "docs-site image compose-file app-repository:",
        "docs-site:\n\t@echo no title >&2; exit 1\nimage compose-file app-repository:",
    )
    (releasable / "Makefile").write_text(broken)
    commit(releasable)
    done = check(releasable, "0.1.0")
    assert done.returncode == 1
    assert [name for name, state in states(done.stdout).items() if state == "failed"] == ["documentation"]
    assert "no title" in done.stdout and states(done.stdout)["checksums"] == "passed"


def test_files_of_an_earlier_run_are_no_artefacts(releasable: Path) -> None:
    (releasable / "dist").mkdir()
    (releasable / "dist" / "old.whl").touch()
    assert "old.whl" not in check(releasable, "0.1.0").stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say which version: make release-check VERSION=1.2.3"),
        (["0.3.0"], "src/iskra_server/__init__.py says 0.1.0 and not 0.3.0; change one of them."),
        (["v0.1.0"], "v0.1.0 is no version: it is 1.2.3, or 1.2.3rc1 before it."),
    ],
)
def test_another_version_than_that_of_the_code_is_refused_before_anything_is_built(
    releasable: Path, arguments: list[str], sentence: str
) -> None:
    done = check(releasable, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == sentence
    assert not (releasable / "dist").exists()


def test_a_tree_with_changes_fails(releasable: Path) -> None:
    (releasable / "Makefile").write_text(MAKEFILE + "# changed\n")
    done = check(releasable, "0.1.0")
    assert done.returncode == 1
    assert "1 file differs from commit" in done.stdout and "first Makefile; commit or remove them." in done.stdout


def test_lines_under_unreleased_say_what_the_section_will_be(releasable: Path) -> None:
    (releasable / guard.CHANGELOG).write_text(CHANGELOG.replace("[0.1.0] - 2026-12-24", "[Unreleased]"))
    commit(releasable)
    done = check(releasable, "0.1.0")
    assert done.returncode == 0, done.stdout
    assert "rename [Unreleased] (3 lines) to [0.1.0] - YYYY-MM-DD." in done.stdout
    assert (releasable / "dist" / "RELEASE-NOTES.md").read_text() == "### New\n\n- Reads meters.\n"


def test_a_changelog_without_an_entry_fails(releasable: Path) -> None:
    (releasable / guard.CHANGELOG).write_text("# Changelog\n\n## [0.0.9] - 2026-11-01\n\n- Less.\n")
    commit(releasable)
    done = check(releasable, "0.1.0")
    assert done.returncode == 1
    assert [name for name, state in states(done.stdout).items() if state == "failed"] == ["changelog", "release notes"]


@pytest.mark.slow
def test_the_release_of_this_repository_can_be_made_here(tmp_path: Path) -> None:
    """In a clone of the commit, with environments of its own: some minutes."""
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--no-local", str(ROOT), str(clone), root=tmp_path)
    version = re.findall(
        guard.PLACES["src/iskra_server/__init__.py"], (clone / "src/iskra_server/__init__.py").read_text(), re.M
    )[0]
    done = subprocess.run(
        ["make", "release-check", f"VERSION={version}", f"PYTHON={sys.executable}"],
        cwd=clone,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    found = states(done.stdout)
    assert {name for name in ("checkout", "dist, twice", "sbom", "app repository", "release notes", "checksums")} <= {
        name for name, state in found.items() if state == "passed"
    }
    packages = re.findall(r"^([a-z0-9-]+)==", (clone / "requirements" / "image.txt").read_text(), re.MULTILINE)
    bill = json.loads((clone / "dist" / f"iskra-electricity-server-{version}.cdx.json").read_text())
    assert {component["name"] for component in bill["components"]} == set(packages)
    assert bill["metadata"]["component"]["version"] == version
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    sums = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=clone / "dist", capture_output=True, check=False)
    assert sums.returncode == 0
    first = (clone / "dist" / "SHA256SUMS").read_text()
    shutil.rmtree(clone / "dist")
    again = subprocess.run(
        ["make", "dist", "sbom", "checksums"], cwd=clone, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert set((clone / "dist" / "SHA256SUMS").read_text().splitlines()) <= set(first.splitlines())
