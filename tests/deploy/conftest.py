"""One Docker engine, with the image of the server, for all tests that need it."""

from collections.abc import Iterator

import pytest

from deploy.engine import Engine, running
from deploy.head import Head

IMAGE = "iskra-electricity-server:built"


@pytest.fixture(scope="package")
def engine() -> Iterator[Engine]:
    with running() as engine:
        yield engine


@pytest.fixture(scope="package")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Built by compose, once: `docker build` would not find the layers of compose, nor the other way round."""
    override = tmp_path_factory.mktemp("build") / "override.yml"
    override.write_text("services: {iskra-server: {build: {network: host}}}\n")
    engine.docker(
        "compose", "--file", "docker-compose.yml", "--file", override, "build", environ={"ISKRA_IMAGE": IMAGE}
    )
    return IMAGE


@pytest.fixture(scope="module")
def head(engine: Engine) -> Iterator[Head]:
    head = Head(engine)
    yield head
    head.unplug()
