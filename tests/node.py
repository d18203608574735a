"""Programs of Node.js that tests run: installed once by npm into .cache/node, where Node.js is."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / ".cache" / "node"
PACKAGES = ("node-red@4.1.15", "jsonpath-plus@10.4.0")
_DEADLINE_S = 300


def node() -> str:
    """The path of node; skips where it is not installed."""
    found = shutil.which("node")
    if not found:
        pytest.skip("Node.js is not installed: apt-get install nodejs npm")
    return found


def modules() -> Path:
    """The folder of the installed packages; skips where npm cannot get them."""
    done = FOLDER / ".ready"
    if not done.exists():
        npm = shutil.which("npm")
        if not npm:
            pytest.skip("npm is not installed: apt-get install nodejs npm")
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--omit=optional", *PACKAGES]
        try:
            subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=_DEADLINE_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"npm cannot install {' '.join(PACKAGES)}: {error}")
        done.touch()
    return FOLDER / "node_modules"
