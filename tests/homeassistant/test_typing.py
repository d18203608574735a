"""Our integration, held against the types and the icons of the real Home Assistant."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from homeassistant import release
from homeassistant.release import OURS, Release

# mypy counts the cores there
WITH_PROC = 'mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"'


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The youngest release of this run."""
    youngest = max(release.wanted(), key=lambda one: release.numbers(one.version))
    if reason := release.missing(youngest):
        pytest.skip(reason)
    if not youngest.has_ours:
        pytest.skip(f"Home Assistant {youngest.version} is too old for the integration")
    release.install(youngest)
    return youngest


@pytest.mark.slow
def test_it_is_strictly_typed(young: Release, tmp_path: Path) -> None:
    # where a distribution of its own can see it
    place = young.root / "typed" if young.root else tmp_path
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(OURS, place / "custom_components" / OURS.name)
    seen, enter = (
        (Path("/typed"), ("unshare", "--mount", "sh", "-c", WITH_PROC, young.root)) if young.root else (place, ())
    )
    # 5 s of processor time without what is kept there
    cache = Path("/mypy") if young.root else young.folder / "mypy"
    done = subprocess.run(
        [
            *(*enter, "env", f"MYPYPATH={seen}", young.interpreter, "-m", "mypy", "--strict"),
            *("--explicit-package-bases", "--cache-dir", cache, "-p", f"custom_components.{OURS.name}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_icon_is_one_of_material_design(young: Release) -> None:
    (frontend,) = young.environment.glob("lib/python*/site-packages/hass_frontend/static/mdi")
    known = {name for part in frontend.glob("*.json") if part.name != "iconList.json" for name in icons(part)}
    wanted = set(re.findall(r'"mdi:([a-z0-9-]+)"', (OURS / "icons.json").read_text()))
    assert wanted and wanted <= known


def icons(part: Path) -> list[str]:
    content = json.loads(part.read_text())
    return list(content) if isinstance(content, dict) else []
