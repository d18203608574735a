"""Releases of the real Home Assistant, each with the Python that it needs, installed once below .cache/homeassistant.

Only what is needed is installed: the core, what every start loads (DEFAULT), and what these tests use, with the
requirements that the manifests of those integrations name. So it runs with --skip-pip and fetches nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

CACHE = Path(__file__).parents[2] / ".cache" / "homeassistant"
UV = Path(sys.executable).parent / "uv"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
VENV = Path("/home-assistant")
DEFAULT = (
    *("application_credentials", "automation", "backup", "counter", "frontend", "hardware", "homeassistant"),
    *("input_boolean", "input_button", "input_datetime", "input_number", "input_select", "input_text", "logger"),
    *("network", "person", "persistent_notification", "scene", "schedule", "script", "system_health", "tag"),
    *("timer", "zone"),
)
USED = ("energy", "history", "mqtt", "recorder", "rest", "sensor")
# the cloud library of older releases imports what josepy 2 no longer has, and then everything is answered with 500
OLDER = ("josepy<2",)


class Release(Struct, frozen=True):
    """A version and the Python that runs it: one of this machine, or that of a Debian distribution of its own."""

    version: str
    python: str
    distribution: str | None = None
    constraints: tuple[str, ...] = ()
    # what its MQTT imports and no manifest on the way to it names
    besides: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return CACHE / self.version

    @property
    def is_installed(self) -> bool:
        """As it is described here."""
        return self._note.exists() and self._note.read_text() == repr(self)

    def note(self, made: Path) -> None:
        """Write into a whole installation what it is."""
        (made / self._note.name).write_text(repr(self))

    @property
    def _note(self) -> Path:
        return self.folder / "installed"

    @property
    def root(self) -> Path | None:
        """The distribution's file system."""
        return self.folder if self.distribution else None

    @property
    def interpreter(self) -> Path:
        """The Python that has this Home Assistant, as its own file system names it."""
        return (VENV if self.distribution else self.folder) / "bin" / "python"


SETS = {
    "default": (
        Release("2024.3.3", "3.11", constraints=OLDER, besides=("numpy",)),
        Release("2025.4.4", "3.13", constraints=OLDER),
    ),
    "newest": (Release("2026.2.3", "3.13", "trixie"),),
}


def wanted() -> tuple[Release, ...]:
    """The releases of this run: make test-homeassistant-newest asks for others."""
    return SETS[_wanted()]


def is_default() -> bool:
    """A run of make test, which has no time for what lasts long and shows the same."""
    return _wanted() == "default"


def _wanted() -> str:
    return os.environ.get("TEST_HOMEASSISTANT", "default")


def missing(release: Release) -> str | None:
    """Why a release cannot be installed here."""
    if release.is_installed:
        return None
    if release.distribution:
        needed = "mmdebstrap (make test installs it when it is run by root)"
        return None if shutil.which("mmdebstrap") else f"Home Assistant {release.version} needs {needed}"
    return None if python(release.python) else f"Home Assistant {release.version} needs Python {release.python}"


def install(release: Release) -> None:
    """Install what the cache does not hold yet; it appears under its name only when it is whole."""
    if release.is_installed:
        return
    shutil.rmtree(release.folder, ignore_errors=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE) as name:
        made = Path(name, "made")
        if release.distribution:
            bootstrap(release.distribution, made)
            fill(release, made / VENV.relative_to("/"), VENV, ("chroot", made, "/uv"))
        else:
            fill(release, made, made, (UV,))
        release.note(made)
        made.rename(release.folder)


def bootstrap(distribution: str, root: Path) -> None:
    """A distribution with its Python, and our uv in it, which trusts whom this machine trusts."""
    # some of what is needed has no wheel for its Python
    packages = "--include=ca-certificates,gcc,libc6-dev,libfaketime,python3-dev"
    run("mmdebstrap", "--quiet", "--variant=minbase", packages, distribution, root)
    shutil.copy(UV, root / "uv")
    shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))


def fill(release: Release, folder: Path, inside: Path, uv: tuple[str | Path, ...]) -> None:
    """Make the environment in `folder`, which uv knows as `inside`."""
    run(*uv, "venv", "--python", interpreter(release), inside)
    pinned = f"homeassistant=={release.version}"
    pip = (*uv, "pip", "install", "--no-cache", "--python", inside / "bin" / "python")
    run(*pip, "--no-deps", pinned)
    (package,) = folder.glob("lib/python*/site-packages/homeassistant")
    constraints = (package / "package_constraints.txt").read_text()
    (folder / "constraints.txt").write_text("\n".join((constraints, *release.constraints)))
    run(
        *pip,
        "--constraint",
        inside / "constraints.txt",
        pinned,
        *release.besides,
        *requirements(package / "components"),
    )


def requirements(components: Path) -> list[str]:
    """What the integrations need, and those that they depend on."""
    waiting, seen = [*DEFAULT, *USED], set[str]()
    needed = set[str]()
    while waiting:
        domain = waiting.pop()
        if domain not in seen:
            seen.add(domain)
            manifest = json.loads((components / domain / "manifest.json").read_text())
            waiting += manifest.get("dependencies", ())
            needed |= set(manifest.get("requirements", ()))
    return sorted(needed)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr[-2000:]}"


def interpreter(release: Release) -> str | Path:
    own = None if release.distribution else python(release.python)
    return own or f"python{release.python}"


def python(minor: str) -> Path | None:
    """A Python of this machine that starts: on the path, or one of pyenv's."""
    return next((path for path in _pythons(minor) if _starts(path)), None)


def _pythons(minor: str) -> Iterator[Path]:
    if found := shutil.which(f"python{minor}"):
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{minor}.*/bin/python{minor}"))


def _starts(path: Path) -> bool:
    return subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
