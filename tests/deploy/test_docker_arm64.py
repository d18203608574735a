"""The image for arm64, started and asked under emulation, which takes some minutes.

Its last stage is that of the Dockerfile. What the stages before it would install, pip of this machine installs for the
other one, from the same locked requirements: under emulation pip alone takes half an hour.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.emulation import arm64, save_image
from deploy.engine import BASE_IMAGE, CACHE, ROOT, Engine, prepare
from running import fetch, free_port, until

pytestmark = pytest.mark.slow

BASE = f"{BASE_IMAGE}-arm64"
IMAGE = "iskra-electricity-server:arm64"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
PLATFORMS = [f"--platform=manylinux_{glibc}_aarch64" for glibc in ("2_17", "2_28", "2_34")]
COMMAND = """#!/opt/iskra-server/bin/python
import sys
from iskra_server.cli import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("arm64")
    install(folder / "installed")
    (folder / "Dockerfile").write_text(last_stage())
    with arm64():
        prepare("base-arm64")
        save_image(CACHE / "base-arm64.tar", BASE, folder / "base.tar")
        engine.docker("load", "--input", folder / "base.tar")
        (folder / "base.tar").unlink()
        options = ("--platform", "linux/arm64", "--network", "none", "--build-arg", "VERSION=1.2.3", "--tag", IMAGE)
        # BuildKit, as the engine's older builder gives every layer this machine's own architecture
        engine.docker("build", *options, folder, timeout_s=1500, environ={"DOCKER_BUILDKIT": "1"})
        yield IMAGE


def install(folder: Path) -> None:
    """A virtual environment for arm64: a folder of packages, and how Python knows that it is one."""
    packages = folder / "lib" / "python3.13" / "site-packages"
    target = ("install", f"--target={packages}", "--only-binary=:all:", "--python-version=3.13", *PLATFORMS)
    requirements = ROOT / "requirements" / "image.txt"
    subprocess.run([*PIP, *target, "--no-compile", "--require-hashes", "-r", requirements], check=True)
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*PIP, "install", "--target", packages, "--no-compile", "--no-deps", wheel], check=True)
    wheel.unlink()
    commands = folder / "bin"
    commands.mkdir()
    (commands / "python").symlink_to("/usr/local/bin/python")
    (commands / "iskra-server").write_text(COMMAND)
    (commands / "iskra-server").chmod(0o755)
    (folder / "pyvenv.cfg").write_text("home = /usr/local/bin\n")
    (folder / "healthcheck.py").write_bytes((ROOT / "deploy" / "healthcheck.py").read_bytes())


def last_stage() -> str:
    text = (ROOT / "Dockerfile").read_text()
    stage = text[text.rindex(f"FROM {BASE_IMAGE}") :].replace(BASE_IMAGE, BASE)
    copies = (
        "COPY --from=dependencies /opt/iskra-server /opt/iskra-server\n",
        "COPY --from=program /program /\n",
    )
    for copy in copies:
        assert copy in stage
        stage = stage.replace(copy, "COPY installed /opt/iskra-server\n" if copy is copies[0] else "")
    return stage


def test_it_starts_and_serves_the_exact_value_of_a_meter(engine: Engine, image: str) -> None:
    (described,) = json.loads(engine.docker("inspect", image))
    assert (described["Os"], described["Architecture"]) == ("linux", "arm64")
    assert described["Config"]["Labels"]["org.opencontainers.image.version"] == "1.2.3"
    port = free_port()
    environ = ("--env", f"IES_PORT={port}", "--env", "IES_METERS=simulator:MT175")
    name = engine.docker("run", "--detach", "--platform", "linux/arm64", "--network", "host", *environ, image)
    try:
        until(lambda: "value" in answer(port), 600, 1)
        cumulated = answer(port)
        assert (cumulated["unit"], cumulated["simulated"]) == ("kWh", True)
        assert cumulated["value"] > 0
        assert engine.docker("exec", name, "uname", "-m") == "aarch64"
        # code for this machine, not the slower one in Python
        engine.docker("exec", name, "python", "-c", "import uvloop, httptools, msgspec._core, psycopg, psycopg_binary")
        engine.docker("exec", name, "python", "-IS", "/opt/iskra-server/healthcheck.py")
    finally:
        engine.docker("rm", "--force", "--volumes", name)


def answer(port: int) -> dict[str, Any]:
    with suppress(httpx.TransportError):
        found = fetch(f"http://127.0.0.1:{port}/api/electricity/cumulated")
        values: dict[str, Any] = json.loads(found.text, parse_float=Decimal)
        return values
    return {}
