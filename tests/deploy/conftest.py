"""One Docker engine for all tests of a file that need it."""

from collections.abc import Iterator

import pytest

from deploy.engine import Engine, running


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running() as engine:
        yield engine
