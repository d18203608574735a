"""One Docker engine, with the image of the server, for all tests that need it."""

from collections.abc import Iterator

import pytest

from deploy.engine import ROOT, Engine, running
from deploy.head import Head

IMAGE = "iskra-electricity-server"


@pytest.fixture(scope="package")
def engine() -> Iterator[Engine]:
    with running() as engine:
        yield engine


@pytest.fixture(scope="package")
def image(engine: Engine) -> str:
    engine.docker("build", "--network", "host", "--tag", IMAGE, ROOT)
    return IMAGE


@pytest.fixture(scope="module")
def head(engine: Engine) -> Iterator[Head]:
    head = Head(engine)
    yield head
    head.unplug()
