"""A registry of images of the tests' own: Debian's docker-registry on a free loopback port, stopped by its pid."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.engine import CACHE, fetch_packages
from running import DEADLINE_S, fetch, free_port, until

CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {folder}/images}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Its address, which an engine trusts without TLS as it is a loopback one."""
    if not (CACHE / "registry").exists():
        fetch_packages("registry", "docker-registry")
    port = free_port()
    (folder / "registry.yml").write_text(CONFIGURATION.format(folder=folder, port=port))
    with (folder / "registry.log").open("w") as log:
        process = subprocess.Popen(
            [CACHE / "registry/usr/bin/docker-registry", "serve", folder / "registry.yml"], stdout=log, stderr=log
        )
    try:
        until(lambda: _answers(port))
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _answers(port: int) -> bool:
    try:
        return fetch(f"http://127.0.0.1:{port}/v2/").is_success
    except httpx.TransportError:
        return False
