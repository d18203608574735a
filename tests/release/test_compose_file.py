"""The docker-compose.yml of a release is that of the repository, but for its image, and builds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


def written(*options: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "release" / "compose_file.py"
    return subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=False)


def test_it_names_the_image_that_was_published() -> None:
    text = written("--image", "ghcr.io/Meyer/iskra-electricity-server:latest").stdout
    release, repository = yaml.safe_load(text), yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    server = repository["services"]["iskra-server"]
    del server["build"]
    # names of images are in small letters
    server["image"] = "${ISKRA_IMAGE:-ghcr.io/meyer/iskra-electricity-server:latest}"
    assert release == repository
    assert "checkout" not in text and "see docker-compose.host.yml." in text


def test_without_a_name_it_names_the_image_of_the_repository() -> None:
    release, repository = (
        yaml.safe_load(text) for text in (written().stdout, (ROOT / "docker-compose.yml").read_text())
    )
    server = repository["services"]["iskra-server"]
    assert server.pop("build") == "."
    assert release == repository


@pytest.mark.parametrize("image", ["iskra-electricity-server", "ghcr.io/meyer/iskra", "ghcr.io/a b/c:latest", "x}:y"])
def test_what_is_no_image_is_refused(image: str) -> None:
    done = written("--image", image)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"'{image}' is no image with registry and tag, such as ghcr.io/OWNER/NAME:latest.\n"
