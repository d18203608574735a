"""Ports that are pulled out at the end of each test."""

from collections.abc import Callable, Iterator

import pytest

from sources.ptys import Pty


@pytest.fixture
def plug() -> Iterator[Callable[[], Pty]]:
    ports: list[Pty] = []

    def plug_in() -> Pty:
        ports.append(Pty())
        return ports[-1]

    yield plug_in
    for port in ports:
        port.unplug()
