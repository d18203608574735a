from pathlib import Path

import pytest

from iskra_server.base import installation
from iskra_server.base.installation import in_app, in_container, is_service


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "CONTAINER_MARKS", ())
    for variable in ("SUPERVISOR_TOKEN", "container", "INVOCATION_ID"):
        monkeypatch.delenv(variable, raising=False)


def test_a_program_started_by_hand_is_none_of_them() -> None:
    assert not in_app() and not in_container() and not is_service()


@pytest.mark.parametrize(
    ("variable", "ask"), [("SUPERVISOR_TOKEN", in_app), ("container", in_container), ("INVOCATION_ID", is_service)]
)
def test_a_variable_tells(variable: str, ask: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "x")
    assert [question() for question in (in_app, in_container, is_service)] == [
        question is ask for question in (in_app, in_container, is_service)
    ]


def test_docker_leaves_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installation, "CONTAINER_MARKS", (str(tmp_path / "mark"),))
    assert not in_container()
    (tmp_path / "mark").touch()
    assert in_container()
