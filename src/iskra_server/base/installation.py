"""How this server was installed and started: as an app of Home Assistant, in a container, by systemd, with pipx ..."""

import os
import re
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAME = "iskra-electricity-server"

# set by Home Assistant's Supervisor for its apps, which are containers that get every serial port by themselves
_APP_VARIABLE = "SUPERVISOR_TOKEN"
_CONTAINER_VARIABLE = "container"
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
# the process that systemd started, from version 248 on; programs in a terminal inherit that of another one
_SERVICE_VARIABLE = "SYSTEMD_EXEC_PID"


def in_app() -> bool:
    """Whether this is an app of Home Assistant."""
    return _APP_VARIABLE in os.environ


def in_container() -> bool:
    """Whether this is a container: Docker and Podman leave a file, others set a variable."""
    return _CONTAINER_VARIABLE in os.environ or any(map(os.path.exists, CONTAINER_MARKS))


def is_service() -> bool:
    """Whether systemd started this program as a service."""
    return os.environ.get(_SERVICE_VARIABLE) == str(os.getpid())


def how_to_add(extra: str) -> str:
    """How this installation gets what an extra needs; the end of a sentence, without full stop."""
    if command := adding_command(extra):
        return f"run {command}"
    return (
        "it cannot be added to a container image or to the Debian package; install this server with "
        f"pipx install '{NAME}[{extra}]' instead"
    )


def adding_command(extra: str) -> str:
    """The command that adds what an extra needs to this installation; "" where nothing can be added."""
    prefix = Path(sys.prefix)
    needed = _requirement(extra)
    if (prefix / "pipx_metadata.json").exists():
        command = f"pipx inject {prefix.name} '{needed}'"
    elif (receipt := prefix / "uv-receipt.toml").exists():
        command = _with_uv(receipt, needed)
    elif find_spec("pip"):
        command = f"{sys.executable} -m pip install '{needed}'"
    else:
        # the container image, the Debian package
        return ""
    return command if os.access(prefix, os.W_OK) else f"sudo {command}"


def _with_uv(receipt: Path, needed: str) -> str:
    """With what was added before, and from where it came: uv keeps only what is named again."""
    rows = tomllib.loads(receipt.read_text())["tool"]["requirements"]
    installed = {row["name"]: _named_for_uv(row) for row in rows}
    program = installed.pop(NAME, NAME)
    added = " ".join(f"--with '{package}'" for package in (*installed.values(), needed))
    return f"uv tool install {added} '{program}'"


def _named_for_uv(row: dict[str, Any]) -> str:
    """A package of the receipt as uv takes it: what it came from, else its name and versions."""
    extras = f"[{','.join(row['extras'])}]" if "extras" in row else ""
    match row:
        case {"directory": place} | {"editable": place} | {"path": place}:
            return f"{place}{extras}"
        case {"url": url}:
            return f"{row['name']}{extras} @ {url}"
        case {"git": url}:
            return f"{row['name']}{extras} @ git+{url.replace('?rev=', '@')}"
    return f"{row['name']}{extras}{row.get('specifier', '')}"


def _requirement(extra: str) -> str:
    """The package and its versions, as pyproject.toml has them."""
    # takes 10 ms, and is needed for a sentence alone
    from importlib.metadata import PackageNotFoundError, requires  # noqa: PLC0415

    try:
        found = requires(NAME) or ()
    except PackageNotFoundError:
        found = ()
    of_extra = re.compile(rf"""extra == ["']{extra}["']""")
    return next((line.partition(";")[0].strip() for line in found if of_extra.search(line)), f"{NAME}[{extra}]")
