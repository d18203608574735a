import os
import sys
from pathlib import Path

import pytest

from iskra_server.base import installation
from iskra_server.base.installation import adding_command, how_to_add, in_app, in_container, is_service

# of `uv tool install 'iskra-electricity-server[encrypted]' --with 'serialx[a,b]>=1'`
RECEIPT = """
[tool]
requirements = [
    { name = "iskra-electricity-server", extras = ["encrypted"] },
    { name = "serialx", extras = ["a", "b"], specifier = ">=1" },
]
"""


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


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("pipx_metadata.json", "pipx inject iskra '{}'"),
        (
            "uv-receipt.toml",
            "uv tool install --with 'serialx[a,b]>=1' --with '{}' 'iskra-electricity-server[encrypted]'",
        ),
        ("", f"{sys.executable} -m pip install '{{}}'"),
    ],
)
def test_packages_are_added_as_this_program_was_installed(
    file: str, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prefix = tmp_path / "iskra"
    prefix.mkdir()
    monkeypatch.setattr(sys, "prefix", str(prefix))
    if file:
        (prefix / file).write_text(RECEIPT)
    assert adding_command("esphome") == command.format("serialx[esphome]")
    assert how_to_add("postgres") == f"run {command.format('psycopg[binary]>=3.3.9')}"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert adding_command("esphome").startswith("sudo ")


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        ('directory = "/src"', "/src[encrypted]"),
        ('editable = "/src"', "/src[encrypted]"),
        ('path = "/x-0.1.0-py3-none-any.whl"', "/x-0.1.0-py3-none-any.whl[encrypted]"),
        ('url = "https://a.example/x.whl"', "iskra-electricity-server[encrypted] @ https://a.example/x.whl"),
        ('git = "https://a.example/x?rev=v1"', "iskra-electricity-server[encrypted] @ git+https://a.example/x@v1"),
    ],
)
def test_uv_keeps_the_program_from_where_it_came(
    origin: str, named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After `uv tool install .`, `uv tool upgrade` would else look for the program in a registry."""
    row = f'{{ name = "iskra-electricity-server", extras = ["encrypted"], {origin} }}'
    (tmp_path / "uv-receipt.toml").write_text(f"[tool]\nrequirements = [{row}]\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert adding_command("esphome").endswith(f" --with 'serialx[esphome]' '{named}'")


def test_nothing_is_added_to_an_image_or_to_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have no pip."""
    monkeypatch.setattr(installation, "find_spec", lambda _: None)
    instead = (
        "it cannot be added to a container image or to the Debian package; install this server with "
        "pipx install 'iskra-electricity-server[parquet]' instead"
    )
    assert (adding_command("parquet"), how_to_add("parquet")) == ("", instead)
