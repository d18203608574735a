"""A package of one module, built for real: what both builds have in common is kept, what differs is refused."""

from pathlib import Path

import pytest

import build_dist
from checkout import ReleaseError, git
from release_repository import commit

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "one-module"
version = "1.0"
requires-python = ">=3.11"
[tool.hatch.build]
only-include = ["one_module"]
"""
# a hook that writes the folder of the build into the package, as some compilers do
HOOK = """
from pathlib import Path
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        Path(self.root, "one_module", "where.txt").write_text(self.root)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "one_module").mkdir(parents=True)
    (root / "one_module" / "__init__.py").touch()
    (root / "pyproject.toml").write_text(PROJECT)
    git("init", "--quiet", root=root)
    for key in ("name", "email"):
        git("config", f"user.{key}", "test", root=root)
    commit(root)
    return root


def test_equal_builds_are_kept_without_what_is_not_committed(project: Path, tmp_path: Path) -> None:
    (project / "one_module" / "later.py").touch()
    files = build_dist.build_twice(tmp_path / "dist", project)
    assert [file.name for file in files] == ["one_module-1.0-py3-none-any.whl", "one_module-1.0.tar.gz"]
    assert b"later.py" not in files[0].read_bytes()
    assert b"one_module/__init__.py" in files[0].read_bytes()


def test_builds_that_differ_are_refused_and_nothing_is_written(project: Path, tmp_path: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT + "[tool.hatch.build.hooks.custom]\n")
    (project / "hatch_build.py").write_text(HOOK)
    commit(project)
    with pytest.raises(ReleaseError, match=r"differ: one_module-1.0-py3-none-any.whl is .* and .*; one_module-1.0.tar"):
        build_dist.build_twice(tmp_path / "dist", project)
    assert not (tmp_path / "dist").exists()


def test_a_package_that_cannot_be_built_is_one_sentence(project: Path, tmp_path: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\n")
    commit(project)
    with pytest.raises(ReleaseError, match="hatchling cannot build the package"):
        build_dist.build_twice(tmp_path / "dist", project)


def test_a_missing_file_differs(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "x").write_text("1")
    (difference,) = build_dist.compare(tmp_path / "a", tmp_path / "b")
    assert difference.startswith("x is ") and difference.endswith(" and missing")
