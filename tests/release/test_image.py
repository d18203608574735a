"""The command lines, and what is said where no engine answers; the image itself is built by a real one (slow)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import image
from checkout import ROOT, code_version, commit
from deploy.engine import running

NAME = "registry.example/owner/name"


def line(*arguments: str, with_buildx: bool = True) -> str:
    return " ".join(image.command(image.parse(list(arguments)), "meta.json", with_buildx=with_buildx))


def test_an_image_for_this_machine_gets_its_version_as_tag() -> None:
    assert line().startswith("docker buildx build --build-arg VERSION=")
    assert line().endswith(f"--tag iskra-electricity-server:{code_version()} --load")
    assert line(with_buildx=False).endswith(f"--tag iskra-electricity-server:{code_version()}")
    assert f"--build-arg ISKRA_COMMIT={commit()} " in line()
    assert "--provenance" not in line()


def test_what_is_pushed_by_digest_has_provenance_and_no_tag() -> None:
    pushed = line("--name", NAME, "--platforms", "linux/arm64", "--push-by-digest", "file")
    assert "--platform linux/arm64 " in pushed
    assert "--provenance mode=max --sbom true --metadata-file meta.json" in pushed
    output = f"type=image,name={NAME},push-by-digest=true,name-canonical=true,push=true,rewrite-timestamp=true"
    assert pushed.endswith(f"--output {output}")
    assert "--tag" not in pushed


def test_several_platforms_are_pushed_together() -> None:
    platforms = "linux/amd64,linux/arm64,linux/arm/v7"
    pushed = line("--name", NAME, "--platforms", platforms, "--push")
    assert f"--platform {platforms} " in pushed and pushed.endswith(f"--tag {NAME}:{code_version()} --push")


def test_the_app_is_built_on_the_image_of_the_server() -> None:
    app = line("--app", f"{NAME}@sha256:0", "--name", f"{NAME}-app")
    assert f"--build-arg SERVER_IMAGE={NAME}@sha256:0 --build-arg BUILD_VERSION={code_version()} " in app


def test_labels_name_the_repository_of_the_forge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://forge.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/name")
    assert " --build-arg SOURCE=https://forge.example/owner/name " in line()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PATH": "/nowhere"}, "docker is not installed."),
        ({"DOCKER_HOST": "unix:///nowhere/socket"}, r"no container engine answers \(.*/nowhere/socket.*\)\."),
    ],
)
def test_without_an_engine_one_sentence_says_so(environment: dict[str, str], sentence: str) -> None:
    if "DOCKER_HOST" in environment and image.run("docker", "--version").returncode:
        pytest.skip("needs docker, without an engine")
    done = subprocess.run(
        [sys.executable, ROOT / "release" / "image.py"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (69, "")
    assert re.fullmatch(rf"No image can be built here: {sentence}\n", done.stderr), done.stderr


@pytest.mark.slow
def test_a_real_engine_builds_the_image_of_the_commit(tmp_path: Path) -> None:
    with running() as engine:
        built = subprocess.run(
            [sys.executable, ROOT / "release" / "image.py", "--network", "host"],
            env=engine.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr
        tag, identity, size, _ = built.stdout.splitlines()[-1].split()
        assert tag == f"iskra-electricity-server:{code_version()}" and identity.startswith("sha256:")
        assert 50_000_000 < int(size) < 500_000_000
        shown = engine.docker("run", "--rm", "--network", "host", tag, "--version")
        assert shown.startswith(f"iskra-server {code_version()}")
