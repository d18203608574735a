"""The virtual environment in a package: made of wheels alone, for a Python and an architecture that are not at hand."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

from checkout import ROOT
from deb.suites import Architecture, Suite

PREFIX = "opt/iskra-server"
CONFIG = "/etc/iskra-server/iskra-server.toml"
# everything that the image has, too
LOCKED = ROOT / "requirements" / "image.txt"
# what an installer notes about its own run: times, and paths of this machine
_NOTES = ("direct_url.json", "uv_cache.json", "REQUESTED")
_START = f"""\
#!/{PREFIX}/bin/python -I
import sys

from iskra_server.__main__ import main

sys.exit(main())
"""


def install(root: Path, wheel: Path, suite: Suite, architecture: Architecture) -> Path:
    """The folder of its packages, below `root`."""
    site_packages = root / PREFIX / "lib" / f"python{suite.python}" / "site-packages"
    uv_install(site_packages, suite, architecture, "--require-hashes", "--requirement", LOCKED)
    uv_install(site_packages, suite, architecture, wheel)
    # commands for the Python of this machine
    shutil.rmtree(site_packages / "bin")
    (site_packages / ".lock").unlink(missing_ok=True)
    for record in site_packages.glob("*.dist-info/RECORD"):
        forget_notes(record)

    commands = root / PREFIX / "bin"
    commands.mkdir()
    (commands / "python").symlink_to(f"/usr/bin/python{suite.python}")
    (commands / "python3").symlink_to("python")
    (commands / "iskra-server").write_text(_START)
    (commands / "iskra-server").chmod(0o755)
    (root / PREFIX / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {suite.python}\n"
    )
    on_path = root / "usr" / "bin" / "iskra-server"
    on_path.parent.mkdir(parents=True)
    on_path.symlink_to(f"/{PREFIX}/bin/iskra-server")
    return site_packages


def uv_install(target: Path, suite: Suite, architecture: Architecture, *what: str | Path) -> None:
    """Wheels for the other Python and architecture; markers are those of that machine, too."""
    uv = shutil.which("uv", path=search_path())
    options = (
        *("--quiet", "--no-config", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy"),
        *("--python", sys.executable, "--python-version", suite.python, "--python-platform", architecture.platform),
        *("--target", target),
    )
    run(str(uv), "pip", "install", *options, *what)


def search_path() -> str:
    """With the commands beside this Python first, as in an environment that is not activated."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def forget_notes(record: Path) -> None:
    """Delete the notes of the installer, and every file that is named with them and no longer there."""
    for name in _NOTES:
        record.with_name(name).unlink(missing_ok=True)
    folder = record.parents[1]
    with record.open(newline="") as lines:
        rows = [row for row in csv.reader(lines) if (folder / row[0]).is_file()]
    with record.open("w", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows(sorted(rows))


def run(*command: str | Path, environ: dict[str, str] | None = None) -> str:
    """What a program printed; ends this one with its last words where it fails."""
    done = subprocess.run(command, env=os.environ | (environ or {}), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout
