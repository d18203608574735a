"""A broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outputs.mqtt.broker import Mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path).start()
    yield made
    made.kill()
