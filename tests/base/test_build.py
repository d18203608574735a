from pathlib import Path

import pytest

from iskra_server import __version__
from iskra_server.base.build import full_version, read_build

COMMIT = "d7dd917cd7503a3b6247b1ac673c4dd111091bad"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f'{{"commit":"{COMMIT}"}}', "commit d7dd917cd750"),
        (f'{{"commit":"{COMMIT}","date":"2026-11-27T16:29:23+00:00"}}', "commit d7dd917cd750, 2026-11-27"),
        (f'{{"commit":"{COMMIT}","changed":true}}', "commit d7dd917cd750, changed"),
    ],
)
def test_the_version_names_the_commit(content: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "build.json"
    file.write_text(content)
    assert full_version(read_build(file)) == f"{__version__} ({words})"


@pytest.mark.parametrize("content", [None, "", "{}", '{"commit": 1}', '{"commit":'])
def test_without_a_commit_it_is_the_version_alone(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "build.json"
    if content is not None:
        file.write_text(content)
    assert read_build(file) is None
    assert full_version(None) == __version__
