from collections.abc import Iterator
from pathlib import Path

import pytest

from iskra_server.history.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    yield store
    store.close()
