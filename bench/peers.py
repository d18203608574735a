"""Other readers, each in a virtual environment of its own under .cache/bench, so that they never mix with ours."""

import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache" / "bench"


def python_with(*packages: str) -> Path:
    """A Python that has these packages and this project; made at the first use."""
    home = CACHE / "-".join(package.partition("=")[0] for package in packages)
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        print(f"installing {', '.join(packages)} for the comparison ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        project = Path(__file__).parent.parent
        subprocess.run([python, "-m", "pip", "install", "-q", *packages, "--editable", project], check=True)
        (home / "ready").touch()
    return python
