"""A broker, and a head that a server reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outputs.mqtt.broker import Mosquitto
from running import Head


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path).start()
    yield made
    made.kill()


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    made = Head(tmp_path / "usb-infrared-head")
    yield made
    made.unplug()
