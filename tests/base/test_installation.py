import os
from pathlib import Path

import pytest

from iskra_server.base import installation
from iskra_server.base.installation import in_app, in_container, is_service


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "CONTAINER_MARKS", ())
    for variable in ("SUPERVISOR_TOKEN", "container", "SYSTEMD_EXEC_PID"):
        monkeypatch.delenv(variable, raising=False)


def test_a_program_started_by_hand_is_none_of_them() -> None:
    assert not in_app() and not in_container() and not is_service()


def test_a_variable_tells_of_a_container_and_of_an_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("container", "podman")
    assert in_container() and not in_app()
    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret")
    assert in_app()


def test_a_service_is_not_taken_for_a_program_that_a_service_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid()))
    assert is_service()
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getppid()))
    assert not is_service()


def test_docker_leaves_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installation, "CONTAINER_MARKS", (str(tmp_path / "mark"),))
    assert not in_container()
    (tmp_path / "mark").touch()
    assert in_container()
