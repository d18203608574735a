"""Ports that are pulled out at the end of each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sources.ptys import Pty
from sources.speaking import SpeakingPort


@pytest.fixture
def plug() -> Iterator[Callable[[], Pty]]:
    ports: list[Pty] = []

    def plug_in() -> Pty:
        ports.append(Pty())
        return ports[-1]

    yield plug_in
    for port in ports:
        port.unplug()


@pytest.fixture
def speaker() -> Iterator[Callable[..., SpeakingPort]]:
    ports: list[SpeakingPort] = []

    def make(*args: Any, **options: Any) -> SpeakingPort:
        ports.append(SpeakingPort(*args, **options))
        return ports[-1]

    yield make
    for port in ports:
        port.unplug()
