import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from checkout import git
from release_repository import make_repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    make_repository(root)
    return root


@pytest.fixture
def sign(repository: Path, tmp_path: Path) -> Callable[[str], None]:
    """Makes a signed tag on the commit that is checked out."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("needs ssh-keygen (apt install openssh-client)")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for name, value in (("gpg.format", "ssh"), ("user.signingkey", str(key))):
        git("config", name, value, root=repository)

    def sign(tag: str) -> None:
        git("tag", "--sign", "--message", tag, tag, root=repository)

    return sign
