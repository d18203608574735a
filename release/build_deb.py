"""Builds the Debian packages: `python release/build_deb.py [--wheel FILE] [--release bookworm] [--architecture arm64]`.

Each holds a virtual environment in /opt/iskra-server with the locked wheels of requirements/image.txt, for one Python
and one architecture. Nothing of the other machine runs here: no root, no compiler, no emulation.
SOURCE_DATE_EPOCH is the time of everything in it; with the same one the bytes are the same.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from artefacts import DIST
from checkout import NOT_POSSIBLE_HERE, ROOT
from deb.archive import add_control, add_documents, pack, settle
from deb.debian_version import debian_version
from deb.environment import install, run, search_path
from deb.suites import ARCHITECTURES, SUITES, Architecture, Suite

# of the checkout, to where
FILES = {
    "deploy/systemd/iskra-server.service": "usr/lib/systemd/system/iskra-server.service",
    # of a central server, not enabled
    **{
        f"deploy/systemd/{name}": f"usr/lib/systemd/system/{name}"
        for name in ("iskra-collect@.service", "iskra-prepare.service", "iskra-prepare.timer")
    },
    **{
        f"deploy/central/{name}": f"usr/share/doc/iskra-server/examples/central/{name}"
        for name in ("acl", "mosquitto.conf", "mosquitto-tls.conf", "roles.sql")
    },
    "deploy/systemd/emulation.conf": "usr/share/doc/iskra-server/examples/emulation.conf",
    "deploy/udev/60-iskra-head.rules": "usr/lib/udev/rules.d/60-iskra-head.rules",
    "NOTICE": "usr/share/doc/iskra-server/NOTICE",
    "deploy/debian/lintian-overrides": "usr/share/lintian/overrides/iskra-server",
}
CONTROL = """\
Package: iskra-server
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: python3 (>= {python}~), python3 (<< {python_after}~), libc6 (>= 2.36)
Section: net
Priority: optional
Description: reads an electricity meter and serves its exact reading over HTTP
 A server for German smart meters (moderne Messeinrichtung) with an infrared
 head: SML, D0, DLMS and P1, at a serial port or over the network. It has a web
 page, a JSON API, MQTT with discovery for Home Assistant, and keeps a history.
 .
 It brings the Python packages that it needs, in /opt/iskra-server.
"""


def main() -> int:
    given = arguments()
    if missing := [program for program in ("dpkg-deb", "uv") if not shutil.which(program, path=search_path())]:
        print(
            f"Debian packages are built with {' and '.join(missing)}, which this machine does not have.",
            file=sys.stderr,
        )
        return NOT_POSSIBLE_HERE
    given.output.mkdir(parents=True, exist_ok=True)
    wheel = given.wheel or only_wheel(given.output)
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    with TemporaryDirectory(prefix="iskra-deb-") as name:
        generated = generate(wheel, Path(name), epoch)
        for suite in given.release or SUITES:
            for architecture in given.architecture or ARCHITECTURES:
                package = Package(wheel, generated, SUITES[suite], ARCHITECTURES[architecture], given.revision, epoch)
                print(package.build(given.output), flush=True)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="default: the only one in the output folder")
    parser.add_argument("--release", action="append", choices=SUITES, help="may be repeated; default: each")
    parser.add_argument("--architecture", action="append", choices=ARCHITECTURES, help="may be repeated; default: each")
    parser.add_argument("--revision", type=int, default=1, help="of the package; higher for the same version again")
    parser.add_argument("--output", type=Path, default=DIST)
    return parser.parse_args()


def only_wheel(folder: Path) -> Path:
    wheels = sorted(folder.glob("iskra_electricity_server-*.whl"))
    if len(wheels) != 1:
        sys.exit(f"{folder} has {len(wheels) or 'no'} wheels; run make dist, or name one with --wheel.")
    return wheels[0]


@dataclass(frozen=True)
class Package:
    """A package for one Debian and one architecture; `epoch` is the time of all that is in it."""

    wheel: Path
    generated: Path
    suite: Suite
    architecture: Architecture
    revision: int
    epoch: int

    def build(self, output: Path) -> Path:
        """Its name has the version as the tag has it: forges replace a ~ in the names of files."""
        version = version_of(self.wheel)
        package = output.absolute() / f"iskra-server_{version}_{self.suite.name}_{self.architecture.name}.deb"
        with TemporaryDirectory(prefix="iskra-deb-") as name:
            root = Path(name, "root")
            self._fill(root, debian_version(version, self.suite.number, self.revision))
            settle(root, self.epoch)
            pack(root, package, self.epoch)
        return package

    def _fill(self, root: Path, version: str) -> None:
        site_packages = install(root, self.wheel, self.suite, self.architecture)
        shutil.copytree(self.generated, root, dirs_exist_ok=True)
        for source, target in FILES.items():
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / source, root / target)
        who = maintainer(os.environ)
        add_documents(root, site_packages, version=version, suite=self.suite.name, maintainer=who, epoch=self.epoch)
        control = CONTROL.format(
            version=version,
            architecture=self.architecture.name,
            maintainer=who,
            size=sum(-(-path.lstat().st_size // 1024) for path in root.rglob("*")),
            python=self.suite.python,
            python_after=self.suite.python_after,
        )
        add_control(root, control)


def version_of(wheel: Path) -> str:
    """As the wheel itself says it."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return str(HeaderParser().parsestr(archive.read(name).decode())["Version"])


def generate(wheel: Path, folder: Path, epoch: int) -> Path:
    """What is made of the program itself, by that of the wheel in an environment of its own: files below a root."""
    uv, environment = str(shutil.which("uv", path=search_path())), folder / "environment"
    run(uv, "venv", "--quiet", "--no-config", "--python", sys.executable, environment)
    install = (uv, "pip", "install", "--quiet", "--no-config", "--python", environment)
    run(*install, "--require-hashes", "--requirement", ROOT / "requirements" / "runtime.txt")
    run(*install, "--no-deps", wheel)
    run(
        *(environment / "bin" / "python", "-m", "deb.generated", folder / "files"),
        environ={"PYTHONPATH": str(ROOT / "release"), "SOURCE_DATE_EPOCH": str(epoch)},
    )
    return folder / "files"


def maintainer(environ: Mapping[str, str]) -> str:
    """As Debian's own tools are told. The publisher of the package replaces the placeholder by setting both."""
    return f"{environ.get('DEBFULLNAME') or 'not set'} <{environ.get('DEBEMAIL') or 'not-set@example.org'}>"


if __name__ == "__main__":
    sys.exit(main())
