"""Databases for the tests: every one on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from iskra_server.history.store.store import Store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "iskra.sqlite"


@pytest.fixture
def sqlite(file: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{file}")
    yield store
    store.close()
