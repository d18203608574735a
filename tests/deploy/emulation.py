"""Programs for arm64 on this machine: Debian's QEMU, known to the kernel while a test runs, and not afterwards."""

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.engine import CACHE, fetch_packages

FORMATS = Path("/proc/sys/fs/binfmt_misc")
NAME = "iskra-tests-aarch64"
QEMU = CACHE / "qemu" / "usr" / "bin" / "qemu-aarch64-static"
# an ELF file of 64 bits, little-endian, executable or shared, for machine 183; F: also within a container
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"


@contextmanager
def arm64() -> Iterator[None]:
    """Skips where the kernel takes no format of programs from this process, and where the machine is one of these."""
    if platform.machine() == "aarch64":
        # every program would be handed to QEMU, and QEMU, as one of them, to itself
        pytest.skip("this machine is arm64 itself: the other tests of the image are those of arm64")
    if not QEMU.exists():
        fetch_packages("qemu", "qemu-user-static")
    is_mounted_here = not (FORMATS / "register").exists()
    if is_mounted_here:
        done = subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", FORMATS], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"binfmt_misc cannot be mounted: {done.stderr.decode().strip()}")
    try:
        (FORMATS / "register").write_text(f":{NAME}:M::{_MAGIC}:{_MASK}:{QEMU}:F")
        yield
    finally:
        if (FORMATS / NAME).exists():
            (FORMATS / NAME).write_text("-1")
        if is_mounted_here:
            subprocess.run(["umount", FORMATS], check=True)


def save_image(files: Path, name: str, to: Path) -> None:
    """Files as an image that `docker load` takes: `docker import` labels them with this machine's own architecture."""
    with files.open("rb") as layer:
        digest = hashlib.file_digest(layer, "sha256").hexdigest()
    config = {"architecture": "arm64", "os": "linux", "config": {}}
    config["rootfs"] = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(to, "w") as archive:
        archive.add(files, "layer.tar")
        for member, content in (("config.json", config), ("manifest.json", manifest)):
            data = json.dumps(content).encode()
            information = tarfile.TarInfo(member)
            information.size = len(data)
            archive.addfile(information, io.BytesIO(data))
