"""Real programs that ask the emulated devices: libraries that Home Assistant and others use, in their own environment.

They are installed once from requirements/clients.txt below .cache/clients, and run as processes of their own.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "clients.txt"
CACHE = ROOT / ".cache" / "clients"
PROGRAMS = Path(__file__).with_name("client_programs")
INSTALL_S, RUN_S = 600.0, 120.0
UV = Path(sys.executable).parent / "uv"


def ask(program: str, *arguments: str) -> Any:
    """What a program of `client_programs` prints, JSON. It fails with what the program writes to stderr."""
    done = subprocess.run(
        [client_python(), "-W", "error::RuntimeWarning", PROGRAMS / f"{program}.py", *arguments],
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr[-4000:]
    return json.loads(done.stdout)


@cache
def client_python() -> Path:
    """The Python of the environment; other processes of this machine wait until it is whole."""
    CACHE.mkdir(parents=True, exist_ok=True)
    described = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = CACHE / described
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for former in CACHE.glob("[0-9a-f]*"):
                shutil.rmtree(former, ignore_errors=True)
            with TemporaryDirectory(dir=CACHE) as name:
                made = Path(name, "made")
                _run(UV, "venv", "--relocatable", "--python", sys.executable, made)
                python = made / "bin" / "python"
                _run(UV, "pip", "install", "--no-cache", "--require-hashes", "--python", python, "-r", LOCK)
                made.rename(folder)
    return folder / "bin" / "python"


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr[-2000:]}"
