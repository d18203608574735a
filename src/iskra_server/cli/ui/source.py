"""The meter that a command names, and its bytes as they arrive."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Annotated

import typer

from iskra_server.base.address import Address
from iskra_server.cli.ui.profiles import sentence
from iskra_server.cli.ui.refusal import Refused
from iskra_server.codecs.decoder import recognise
from iskra_server.diagnosis.advice import tell
from iskra_server.simulator.virtual import SCHEME, from_url
from iskra_server.sources.source import Source
from iskra_server.sources.urls import open_source

# how often a person looks again
TICK_S = 0.25
_WRONG = ("missing", "nothing_behind", "permission", "unusable", "capture")

MeterUrl = Annotated[
    str,
    typer.Argument(
        metavar="[PORT|URL|FILE]",
        help="auto, a serial port, tcp://host:port, simulator:PROFILE, or a capture to replay.",
    ),
]


def named_source(name: str | Address) -> Source:
    """The source behind a port, a URL or the name of a capture."""
    # what goes wrong is shown by the command itself
    logging.getLogger("iskra_server").addHandler(logging.NullHandler())
    url = Address(name)
    try:
        # a name with a NUL is not asked for
        if url.reveal().isprintable() and Path(url.reveal()).is_file():
            url = Address(f"file:{url.reveal()}")
        return from_url(url) if url.scheme == SCHEME else open_source(url, recognise=recognise, tell=tell)
    except ValueError as error:
        raise Refused(sentence(error)) from None


async def ticking(source: Source) -> AsyncGenerator[bytes]:
    """The bytes of each chunk as it arrives, and b"" whenever none came for a quarter of a second."""
    async with aclosing(source.chunks()) as chunks:
        arrival = asyncio.ensure_future(anext(chunks))
        try:
            while True:
                done, _ = await asyncio.wait({arrival}, timeout=TICK_S)
                if not done:
                    yield b""
                    continue
                try:
                    chunk = arrival.result()
                except StopAsyncIteration:
                    return
                yield chunk.data
                arrival = asyncio.ensure_future(anext(chunks))
        finally:
            # a generator must not be closed while it runs
            arrival.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await arrival


async def unattended(source: Source) -> AsyncGenerator[bytes]:
    """The bytes, where nobody looks on: what cannot be opened is refused, a line that is lost later is told."""
    told: object = None
    has_begun = False
    async with aclosing(ticking(source)) as chunks:
        async for data in chunks:
            state = source.state
            if data:
                has_begun, told = True, None
                yield data
            elif state.problem and not has_begun:
                break
            elif state.problem and state != told:
                told = state
                print(tell(state.problem, state.about), file=sys.stderr)
    state = source.state
    if not has_begun and state.problem not in (None, "ended"):
        raise Refused(tell(state.problem, state.about), status=_status(source))


def _status(source: Source) -> int:
    """2 for a name that is wrong, 1 for a line that is right but not to be had now."""
    return 2 if source.url != "auto" and (source.state.problem or "").startswith(_WRONG) else 1
