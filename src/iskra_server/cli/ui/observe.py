"""Meters seen as the server sees them: the same reader, the same diagnosis, for a command that looks on."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http.client import HTTPException
from pathlib import Path

import msgspec

from iskra_server.cli.ui.local import ask
from iskra_server.cli.ui.options import given
from iskra_server.cli.ui.refusal import Refused
from iskra_server.cli.ui.source import named_source
from iskra_server.codecs.decoder import DECODERS
from iskra_server.config import Config, load_with_origins
from iskra_server.diagnosis.status import Status
from iskra_server.meter.guard import Guard
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader, Statuses
from iskra_server.web.api.status import ServerStatus

# how often a person, or a verdict, looks again
TICK_S = 0.25
# somebody else reads these ports: perhaps our own server
HELD = frozenset(("busy", "busy_unknown", "all_taken"))


def configured(file: Path | None, urls: Sequence[str] | None) -> Config:
    """The configuration in force, with the meters that the command line names, if it names any."""
    config = load_with_origins(os.environ, file, given({"meters.url": list(urls or ())})).config
    if not config.meters_read:
        raise Refused("The server of this configuration reads no meter; name one, such as /dev/ttyUSB0.")
    return config


def readers(config: Config, hub: Hub | None = None) -> list[Reader]:
    """One for each meter of the configuration; all of them publish to one hub."""
    hub, guard = hub or Hub(), Guard()
    return [
        Reader(
            source=named_source(meter.url),
            decoder=DECODERS["sml"](),
            guard=guard,
            hub=hub,
            name=meter.name,
            stale_after_s=meter.stale_after_s,
            max_power_w=meter.max_power_w,
        )
        for meter in config.meters_read
    ]


@asynccontextmanager
async def running(made: Sequence[Reader]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """A task for each; behind it their ports are closed."""
    tasks = [asyncio.create_task(reader.run()) for reader in made]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def observed(made: Sequence[Reader]) -> AsyncGenerator[list[Status]]:
    """How they all stand, again and again; closing it closes their ports."""
    async with running(made) as tasks:
        while True:
            await asyncio.sleep(TICK_S)
            for task in tasks:
                if task.done():
                    task.result()
            yield list(Statuses(made))


async def told_by_server(config: Config, held: Status) -> Status | None:
    """What the server of this machine says of a port that is held; None where it is not the server that holds it."""
    try:
        answer = await asyncio.to_thread(ask, config.server, "/api/v1/status")
        statuses = msgspec.json.decode(answer, type=ServerStatus, strict=False).meters
    except (OSError, HTTPException, msgspec.MsgspecError, UnicodeDecodeError):
        # nobody answers, or something else, or another version
        return None
    return _same_port(held, statuses)


def _same_port(held: Status, statuses: Sequence[Status]) -> Status | None:
    """A search finds every port held, and so means any of them."""
    wanted = os.path.realpath(held.port)
    return next((each for each in statuses if held.source == "auto" or os.path.realpath(each.port) == wanted), None)
