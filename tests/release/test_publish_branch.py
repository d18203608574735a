"""A folder as a branch of a real repository."""

from pathlib import Path

import pytest

from checkout import ReleaseError, git
from publish_branch import publish


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    root = tmp_path / "remote.git"
    root.mkdir()
    git("init", "--quiet", "--bare", root=root)
    return root


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def files(remote: Path, branch: str) -> list[str]:
    return git("ls-tree", "-r", "--name-only", branch, root=remote).split()


def test_the_branch_is_what_the_folder_is(remote: Path, tmp_path: Path) -> None:
    assert publish(write(tmp_path / "one", a="1", b="2"), "app", str(remote), "first")
    assert files(remote, "app") == ["a", "b"]
    assert publish(write(tmp_path / "two", b="2", c="3"), "app", str(remote), "second")
    assert files(remote, "app") == ["b", "c"]
    assert git("log", "--format=%s", "app", root=remote).split() == ["second", "first"]


def test_an_unchanged_folder_makes_no_commit(remote: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "one", a="1")
    assert publish(folder, "app", str(remote), "first")
    assert not publish(folder, "app", str(remote), "second")
    assert git("log", "--format=%s", "app", root=remote) == "first"


def test_folders_of_before_can_stay_and_those_of_now_are_replaced(remote: Path, tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", index="1"), write(tmp_path / "two", index="2")
    write(one / "0.1", page="old")
    write(one / "latest", page="old", gone="old")
    write(two / "latest", page="new")
    publish(one, "pages", str(remote), "first")
    publish(two, "pages", str(remote), "second", keep=True)
    assert files(remote, "pages") == ["0.1/page", "index", "latest/page"]
    assert [git("show", f"pages:{name}", root=remote) for name in ("index", "latest/page")] == ["2", "new"]


def test_files_that_git_would_ignore_are_published_too(remote: Path, tmp_path: Path) -> None:
    publish(write(tmp_path / "one", **{".gitignore": "b\n", "b": "1"}), "app", str(remote), "first")
    assert files(remote, "app") == [".gitignore", "b"]


def test_an_empty_folder_and_a_missing_repository_are_refused(remote: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is no folder with files"):
        publish(write(tmp_path / "empty"), "app", str(remote), "x")
    with pytest.raises(ReleaseError, match="ls-remote"):
        publish(write(tmp_path / "one", a="1"), "app", str(tmp_path / "nowhere"), "x")
