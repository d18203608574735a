"""What Debian wants beside the files of a program, and the archive itself."""

import gzip
import hashlib
import os
import shutil
from datetime import UTC, datetime
from email.parser import HeaderParser
from email.utils import format_datetime
from pathlib import Path

from checkout import ROOT
from deb.environment import CONFIG, run

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
DOCUMENTS = "usr/share/doc/iskra-server"
COPYRIGHT = """\
ISKRA Electricity Server
Copyright 2026 ISKRA Electricity Server contributors
License: Apache-2.0, see /usr/share/common-licenses/Apache-2.0

What it holds of others is in the file NOTICE beside this one.

This package brings these Python packages. The texts of their licences are in
/{folder}/NAME-VERSION.dist-info:

{packages}
"""
CHANGELOG = """\
iskra-server ({version}) {suite}; urgency=medium

  * See changelog.gz in this folder.

 -- {maintainer}  {date}
"""


def add_documents(root: Path, site_packages: Path, *, version: str, suite: str, maintainer: str, epoch: int) -> None:
    folder = root / DOCUMENTS
    folder.mkdir(parents=True, exist_ok=True)
    packages = "\n".join(sorted(map(licence, site_packages.glob("*.dist-info/METADATA")), key=str.lower))
    text = COPYRIGHT.format(folder=site_packages.relative_to(root), packages=packages)
    (folder / "copyright").write_text(text)
    date = format_datetime(datetime.fromtimestamp(epoch, UTC))
    entry = CHANGELOG.format(version=version, suite=suite, maintainer=maintainer, date=date)
    (folder / "changelog.Debian.gz").write_bytes(gzip.compress(entry.encode(), mtime=0))
    (folder / "changelog.gz").write_bytes(gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=0))


def licence(metadata: Path) -> str:
    """ "NAME VERSION: LICENCE", as the package says it, by the newer and the older field."""
    fields = HeaderParser().parsestr(metadata.read_text())
    classified = [value.rpartition(" :: ")[2] for value in fields.get_all("Classifier", []) if "License ::" in value]
    stated = fields["License-Expression"] or ", ".join(classified) or str(fields["License"]).partition("\n")[0]
    return f"  {fields['Name']} {fields['Version']}: {stated}"


def add_control(root: Path, control: str) -> None:
    folder = root / "DEBIAN"
    folder.mkdir()
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    sums = (f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files)
    (folder / "md5sums").write_text("".join(sums))
    (folder / "control").write_text(control)
    (folder / "conffiles").write_text(f"{CONFIG}\n")
    for name in SCRIPTS:
        shutil.copyfile(ROOT / "deploy" / "debian" / name, folder / name)
        (folder / name).chmod(0o755)


def settle(root: Path, epoch: int) -> None:
    """Modes as in Debian, whatever the umask was, and one time for all."""
    for path in (root, *root.rglob("*")):
        if path.is_symlink():
            os.utime(path, (epoch, epoch), follow_symlinks=False)
            continue
        is_program = path.is_dir() or (path.parent.name in ("bin", "DEBIAN") and path.stat().st_mode & 0o100)
        path.chmod(0o755 if is_program else 0o644)
    for path in (root, *root.rglob("*")):
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def pack(root: Path, package: Path, epoch: int) -> None:
    """One thread: with several, blocks of the compressed data end elsewhere."""
    options = ("--root-owner-group", "-Zxz", "--threads-max=1")
    run("dpkg-deb", *options, "--build", root, package, environ={"SOURCE_DATE_EPOCH": str(epoch)})
