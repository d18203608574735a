"""Wheel and source distribution: the same bytes wherever they are built, and what they hold."""

import json
import shutil
import subprocess
import tarfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import other_clock
from iskra_server import __version__
from packages.wheel import COMMIT, KNOWN, ROOT, build, copy_checkout, tracked

BUILT_FROM = {"commit": COMMIT, "date": "2026-11-27T15:29:23+00:00"}
BUILD_FILE = "iskra_server/base/build.json"
# what the checkout has and a source distribution does not need
LEFT_OUT = (".", "bench/", "tests/js/node_modules/")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Alone: a source distribution takes seconds."""
    return build(checkout, tmp_path_factory.mktemp("wheel"), ["wheel"], environ=KNOWN)["wheel"]


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    environ = KNOWN | {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
    return build(checkout, tmp_path_factory.mktemp("dist"), environ=environ, umask=0o077)


def names(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def commit_in(wheel: Path) -> dict[str, Any] | None:
    with ZipFile(wheel) as archive:
        return json.loads(archive.read(BUILD_FILE)) if BUILD_FILE in archive.namelist() else None


@pytest.mark.slow
def test_another_folder_clock_zone_locale_and_umask_make_the_same_bytes(
    checkout: Path, built: dict[str, Path], tmp_path: Path
) -> None:
    other = tmp_path / "another folder"
    # as it was checked out at another time: what is listed in another order, by another user
    for file in sorted((path for path in checkout.rglob("*") if path.is_file()), reverse=True):
        copied = other / file.relative_to(checkout)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copied)
        copied.chmod(0o664)
    environ = KNOWN | {"TZ": "Pacific/Auckland", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "2"}
    if not other_clock.MISSING:
        environ |= other_clock.other_clock(FAKETIME="@2031-05-06 07:08:09")
    again = build(other, tmp_path / "dist", environ=environ, umask=0o002)
    assert {name: path.name for name, path in again.items()} == {name: path.name for name, path in built.items()}
    assert [name for name, path in again.items() if path.read_bytes() != built[name].read_bytes()] == []


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    package = {name.removeprefix("src/") for name in tracked() if name.startswith("src/")}
    with ZipFile(wheel) as archive:
        info = f"iskra_electricity_server-{__version__}.dist-info/"
        assert {name for name in archive.namelist() if not name.startswith(info)} == package | {BUILD_FILE}
        assert {"iskra_server/py.typed", "iskra_server/web/static/index.html"} <= package
        metadata = HeaderParser().parsestr(archive.read(f"{info}METADATA").decode())
        entries = archive.read(f"{info}entry_points.txt").decode()
    assert (metadata["Name"], metadata["Version"]) == ("iskra-electricity-server", __version__)
    assert metadata.get_all("Provides-Extra") == ["encrypted", "esphome", "parquet", "postgres"]
    assert "iskra-server = iskra_server.__main__:main" in entries
    assert wheel.name.endswith("-py3-none-any.whl")


@pytest.mark.slow
def test_the_source_distribution_holds_what_is_tracked_and_nothing_private(built: dict[str, Path]) -> None:
    wanted = {name for name in tracked() if not name.startswith(LEFT_OUT)}
    # hatchling adds its own list of what is ignored
    assert names(built["sdist"]) - wanted == {"PKG-INFO", f"src/{BUILD_FILE}", ".gitignore"}
    assert wanted - names(built["sdist"]) == set()


def test_the_commit_is_what_the_environment_says(wheel: Path) -> None:
    assert commit_in(wheel) == BUILT_FROM


@pytest.mark.slow
def test_a_wheel_of_the_source_distribution_has_its_commit(built: dict[str, Path], tmp_path: Path) -> None:
    with tarfile.open(built["sdist"]) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    wheel = build(unpacked, tmp_path / "dist", ["wheel"], environ={"SOURCE_DATE_EPOCH": KNOWN["SOURCE_DATE_EPOCH"]})
    with ZipFile(wheel["wheel"]) as again, ZipFile(built["wheel"]) as first:
        assert set(again.namelist()) == set(first.namelist())
    assert commit_in(wheel["wheel"]) == BUILT_FROM


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project with the same hook and one module, which is built in a moment."""
    folder = tmp_path / "small"
    package = folder / "src" / "iskra_server"
    (package / "base").mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1"\n')
    shutil.copy(ROOT / "hatch_build.py", folder)
    # the build compiles its hook beside it
    (folder / ".gitignore").write_text("__pycache__/\n")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "small"\nversion = "1"\n[tool.hatch.build.hooks.custom]\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["src/iskra_server"]\n'
    )
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit_of_build(folder: Path, **environ: str) -> dict[str, Any] | None:
    output = folder.parent / "dist"
    shutil.rmtree(output, ignore_errors=True)
    return commit_in(build(folder, output, ["wheel"], environ=environ)["wheel"])


def test_a_checkout_names_its_commit_and_whether_it_was_changed(small: Path) -> None:
    git(small, "init", "--quiet")
    git(small, "add", ".")
    git(small, "commit", "--quiet", "--message=one", "--date=2026-01-02T03:04:05Z")
    commit = git(small, "rev-parse", "HEAD")
    built = commit_of_build(small)
    assert built and built["commit"] == commit and built["date"].endswith("+00:00") and "changed" not in built
    (small / "src/iskra_server/__init__.py").write_text('__version__ = "2"\n')
    changed = commit_of_build(small)
    assert changed and (changed["commit"], changed["changed"]) == (commit, True)


def test_without_a_checkout_of_its_own_no_commit_is_named(small: Path) -> None:
    assert commit_of_build(small) is None
    # in the repository of another project
    git(small.parent, "init", "--quiet")
    git(small.parent, "commit", "--quiet", "--allow-empty", "--message=other")
    assert commit_of_build(small) is None
    assert commit_of_build(small, ISKRA_COMMIT="", ISKRA_COMMIT_DATE="") is None


@pytest.mark.parametrize(
    ("commit", "date", "sentence"),
    [
        ("d7dd917", "", "must be the whole hash of a commit"),
        pytest.param(COMMIT, "2026-11-27", "must have a time zone", marks=pytest.mark.slow),
        pytest.param(COMMIT, "yesterday", "'yesterday'", marks=pytest.mark.slow),
    ],
)
def test_a_wrong_commit_ends_the_build(commit: str, date: str, sentence: str, small: Path) -> None:
    with pytest.raises(AssertionError, match=sentence) as failure:
        commit_of_build(small, ISKRA_COMMIT=commit, ISKRA_COMMIT_DATE=date)
    assert "Traceback" not in str(failure.value)
