"""Releases of the real Home Assistant, each with the Python that it needs, installed once below .cache/homeassistant.

Only what is needed is installed: the core, what every start loads (DEFAULT), and what these tests and our integration
use, with the requirements that the manifests of those integrations name. It runs with --skip-pip and fetches nothing.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "homeassistant"
UV = Path(sys.executable).parent / "uv"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
VENV = Path("/home-assistant")
DEFAULT = (
    *("application_credentials", "automation", "backup", "counter", "frontend", "hardware", "homeassistant"),
    *("input_boolean", "input_button", "input_datetime", "input_number", "input_select", "input_text", "logger"),
    *("network", "person", "persistent_notification", "scene", "schedule", "script", "system_health", "tag"),
    *("timer", "zone"),
)
USED = ("diagnostics", "energy", "history", "mqtt", "recorder", "repairs", "rest", "sensor", "zeroconf")
OURS = ROOT / "integrations" / "homeassistant" / "custom_components" / "iskra_server"
# constants of our integration: nobody waits here for a quarter of an hour
WAITS = (
    ("const.py", "NO_DATA_AFTER_S", "900", "3"),
    ("reconnection.py", "_MAX_DELAY_S", "60.0", "2.0"),
    ("reconnection.py", "STEADY_S", "10.0", "1.0"),
    ("coordinator.py", "_STATUS_EVERY_S", "30.0", "2.0"),
    ("history.py", "_LOOK_EVERY_S", "5.0", "0.5"),
    ("retry.py", "FIRST_DELAY_S", "30.0", "1.0"),
    ("problems.py", "APPEARS_AFTER_S", "20.0", "3.0"),
    ("problems.py", "GONE_AFTER_S", "30.0", "1.0"),
)
# mypy parses with the Python that runs it: that of Home Assistant has to be its own
TOOLS = (f"mypy=={metadata.version('mypy')}",)
# the cloud library of older releases imports what josepy 2 no longer has, and then everything is answered with 500;
# their resolver calls what pycares 5 no longer has, and then no name is found
OLDER = ("josepy<2", "pycares<5")
# the voice assistant imports them at every start; they would be compiled for half a minute, and nobody speaks here
VOICE = {"pymicro_vad": "MicroVad", "pyspeex_noise": "AudioProcessor"}


MODERN = ("camera", "conversation", "ffmpeg", "hassio", "infrared", "radio_frequency", "tts")


class Release(Struct, frozen=True):
    """A version and the Python that runs it: one of this machine, or that of a Debian distribution of its own."""

    version: str
    python: str
    distribution: str | None = None
    constraints: tuple[str, ...] = ()
    # what its MQTT imports and no manifest on the way to it names: packages, and integrations with theirs
    besides: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return CACHE / self.version

    @property
    def has_ours(self) -> bool:
        """Young enough for our integration, as HACS sees it."""
        hacs = OURS.parents[1] / "hacs.json"
        return hacs.exists() and numbers(self.version) >= numbers(json.loads(hacs.read_text())["homeassistant"])

    @property
    def is_there(self) -> bool:
        return self._note.exists()

    @property
    def is_installed(self) -> bool:
        """With everything that is described here."""
        return self.is_there and self._note.read_text() == self._description

    def note(self, made: Path) -> None:
        """Write into a whole installation what it is."""
        (made / self._note.name).write_text(self._description)

    @property
    def _description(self) -> str:
        return "\n".join((repr(self), *TOOLS, *used()))

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

    @property
    def environment(self) -> Path:
        """The folder of that Python's packages, as this machine names it."""
        return self.folder / VENV.relative_to("/") if self.distribution else self.folder


SETS = {
    "default": (
        Release("2024.3.3", "3.11", constraints=OLDER, besides=("numpy",)),
        Release("2025.4.4", "3.13", constraints=OLDER),
    ),
    "newest": (Release("2026.11.0", "3.14", "forky", besides=("numpy",), platforms=MODERN),),
}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def wanted() -> tuple[Release, ...]:
    """The releases of this run: make test takes the youngest that this machine can have, make test-all every one.

    make test-homeassistant-newest asks for another.
    """
    releases = SETS[_wanted()]
    if "TEST_SLOW" in os.environ:
        return releases
    return tuple(one for one in releases if not missing(one))[-1:] or releases


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
    CACHE.mkdir(parents=True, exist_ok=True)
    with only_one(release):
        if release.is_installed:
            return
        if release.is_there:
            # while another run may use it
            fill(release, release.folder)
            release.note(release.folder)
            return
        shutil.rmtree(release.folder, ignore_errors=True)
        with TemporaryDirectory(dir=CACHE) as name:
            made = Path(name, "made")
            if release.distribution:
                bootstrap(release.distribution, made)
            run(*uv(release, made), "venv", "--python", interpreter(release), inside(release, made))
            fill(release, made)
            release.note(made)
            made.rename(release.folder)


@contextmanager
def only_one(release: Release) -> Iterator[None]:
    """Another process of this machine waits until it is installed."""
    with (CACHE / f"{release.version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bootstrap(distribution: str, root: Path) -> None:
    """A distribution with its Python, and our uv in it, which trusts whom this machine trusts."""
    # some of what is needed has no wheel for its Python
    packages = "--include=ca-certificates,gcc,libc6-dev,libfaketime,python3-dev"
    # a mirror may hold a testing distribution for longer than the week that it is valid; it is signed all the same
    old = '--aptopt=Acquire::Check-Valid-Until "false"'
    run("mmdebstrap", "--quiet", "--variant=minbase", old, packages, distribution, root)
    shutil.copy(UV, root / "uv")
    shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))


def uv(release: Release, folder: Path) -> tuple[str | Path, ...]:
    return ("chroot", folder, "/uv") if release.distribution else (UV,)


def inside(release: Release, folder: Path) -> Path:
    """The environment, as uv names it."""
    return VENV if release.distribution else folder


def fill(release: Release, folder: Path) -> None:
    """Install what is missing into an environment."""
    environment = inside(release, folder)
    outside = folder / VENV.relative_to("/") if release.distribution else folder
    pinned = f"homeassistant=={release.version}"
    pip = (*uv(release, folder), "pip", "install", "--no-cache", "--python", environment / "bin" / "python")
    run(*pip, "--no-deps", pinned)
    (package,) = outside.glob("lib/python*/site-packages/homeassistant")
    constraints = (package / "package_constraints.txt").read_text()
    (outside / "constraints.txt").write_text("\n".join((constraints, *release.constraints)))
    # for no Python: that is how uv leaves a requirement out
    (outside / "overrides.txt").write_text("\n".join(f"{module}; python_version < '3'" for module in VOICE))
    for module, name in VOICE.items():
        (package.parent / f"{module}.py").write_text(f"{name} = None\n")
    needed = requirements(package / "components", release.platforms)
    limits = ("--constraint", environment / "constraints.txt", "--override", environment / "overrides.txt")
    run(*pip, *limits, pinned, *TOOLS, *release.besides, *needed)


def used() -> list[str]:
    """The integrations that are loaded."""
    return sorted({*DEFAULT, *USED, *manifest(OURS).get("dependencies", ())})


def requirements(components: Path, platforms: tuple[str, ...]) -> list[str]:
    """What the integrations need, those that they depend on, and ours."""
    waiting, seen = [*used(), *platforms], set[str]()
    needed = set(manifest(OURS).get("requirements", ()))
    while waiting:
        domain = waiting.pop()
        if domain not in seen:
            seen.add(domain)
            waiting += manifest(components / domain).get("dependencies", ())
            needed |= set(manifest(components / domain).get("requirements", ()))
    return sorted(needed)


def manifest(integration: Path) -> dict[str, Any]:
    file = integration / "manifest.json"
    content: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return content


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


def copy_ours(config: Path) -> None:
    """Our integration as by hand or by HACS; a copy, as Python writes beside it, with shorter WAITS."""
    copied = config / "custom_components" / OURS.name
    shutil.copytree(OURS, copied)
    for module, name, seconds, shorter in WAITS:
        text = (copied / module).read_text()
        assert f"{name}: Final = {seconds}\n" in text
        (copied / module).write_text(text.replace(f"{name}: Final = {seconds}", f"{name}: Final = {shorter}"))
