"""A broker, a database and readers for the tests of the road between them; all of them real."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fleet.field import Collecting, FieldReader
from history.postgres import Postgres
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto

MakeReader = Callable[..., FieldReader]
Collect = Callable[[], Collecting]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, "max_inflight_messages 500").start()
    yield broker
    broker.kill()


@pytest.fixture
def central(postgres: Postgres) -> Iterator[Store]:
    """The database of the central server, empty."""
    store = Store(postgres.migrated())
    yield store
    store.close()


@pytest.fixture
def reader(tmp_path: Path, broker: Mosquitto) -> Iterator[MakeReader]:
    """`reader("cellar", meters=2)`: its uplink runs from here on."""
    with ExitStack() as stack:

        def make(name: str, *, meters: int = 1, **settings: Any) -> FieldReader:
            made = FieldReader(tmp_path, name, broker.url, meters=meters, **settings)
            stack.callback(made.close)
            made.start()
            return made

        yield make


@pytest.fixture
def collect(postgres: Postgres, broker: Mosquitto) -> Iterator[Collect]:
    """A collector in a process of its own, as a user runs it; ended at the end."""
    with ExitStack() as stack:

        def start() -> Collecting:
            made = Collecting(broker.url, postgres.url("postgres"))
            stack.callback(made.end)
            return made

        yield start
