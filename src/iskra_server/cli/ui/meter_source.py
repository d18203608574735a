"""The source named on the command line, and its bytes as they arrive."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Annotated

import typer

from iskra_server.base.address import Address
from iskra_server.base.language import Language
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.diagnosis.advice import format_problem
from iskra_server.diagnosis.checks import is_searched
from iskra_server.simulator.simulated_source import SCHEME, from_url
from iskra_server.sources.port_memory import PortMemory
from iskra_server.sources.source import Chunk, OnUnrecognised, Source, ignore_unrecognised, timestamped
from iskra_server.sources.urls import open_source

# how often the display is updated
TICK_S = 0.25
# the port is open and is searched for a meter; one that waits for requests is found after a minute
_SEARCHED = ("silence", "noise", "no_meter_found")
_TELL_AFTER_S = 10.0
_WRONG_NAME = ("missing", "nothing_behind", "permission", "unusable", "capture")

MeterUrl = Annotated[
    str,
    typer.Argument(
        metavar="[METER_URL]",
        help="Where the meter is: auto, a serial port, tcp://HOST:PORT, http://USER:PASSWORD@HOST (Tibber bridge), "
        "mqtt://USER:PASSWORD@BROKER/TOPIC, simulator:PROFILE, or a capture to replay.",
    ),
]


def open_meter_source(
    name: str | Address,
    memory: PortMemory | None = None,
    named: Collection[str] = (),
    on_unrecognised: OnUnrecognised = ignore_unrecognised,
) -> Source:
    """The source for a port, a URL or a capture file (sources/urls.py). Raises UsageError.

    `memory` is what was found on ports; `named` are those of other meters, which `auto` leaves alone.
    """
    # the command prints problems itself
    logging.getLogger("iskra_server").addHandler(logging.NullHandler())
    url = Address(name)
    with usage_errors():
        # is_file() raises ValueError for a name with a NUL
        if url.reveal().isprintable() and Path(url.reveal()).is_file():
            url = Address(f"file:{url.reveal()}")
        if url.scheme == SCHEME:
            return from_url(url)
        return open_source(
            url, memory=memory, named=named, format_problem=format_problem, on_unrecognised=on_unrecognised
        )


async def chunks_and_ticks(source: Source) -> AsyncGenerator[Chunk]:
    """Each chunk; one without bytes when none arrived for TICK_S."""
    async with aclosing(source.chunks()) as chunks:
        arrival = asyncio.ensure_future(anext(chunks))
        try:
            while True:
                done, _ = await asyncio.wait({arrival}, timeout=TICK_S)
                if not done:
                    yield timestamped(b"")
                    continue
                try:
                    chunk = arrival.result()
                except StopAsyncIteration:
                    return
                yield chunk
                arrival = asyncio.ensure_future(anext(chunks))
        finally:
            # a generator cannot be closed while it runs
            arrival.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await arrival


async def chunks_or_error(source: Source, language: Language = "en") -> AsyncGenerator[Chunk]:
    """Each chunk with bytes. UsageError if the source cannot be opened; a later loss is printed on stderr."""
    reported: object = None
    has_begun = False
    searched_s = 0.0
    async with aclosing(chunks_and_ticks(source)) as chunks:
        async for chunk in chunks:
            state = source.state
            if chunk.data:
                has_begun, reported = True, None
                yield chunk
            elif state.problem in _SEARCHED:
                searched_s += TICK_S
                if searched_s == _TELL_AFTER_S:
                    print(_while_searching(source, language), file=sys.stderr)
            elif state.problem and not has_begun:
                break
            elif state.problem and state != reported:
                reported = state
                print(format_problem(state.problem, state.details, language), file=sys.stderr)
    state = source.state
    if not has_begun and state.problem not in (None, "ended"):
        raise UsageError(format_problem(state.problem, state.details, language), status=_status(source))


def _while_searching(source: Source, language: Language) -> str:
    """That nothing has been found yet, and what happens next."""
    state = source.state
    fault, line = state.problem or "silence", str(state.line or "")
    if fault != "no_meter_found" and is_searched(source.url, line, state.protocol):
        fault = f"{fault}_searching"
    return format_problem(fault, state.details | {"line": line}, language)


def _status(source: Source) -> int:
    """2 for a wrong name, 1 for a port that exists but cannot be read now."""
    return 2 if source.url != "auto" and (source.state.problem or "").startswith(_WRONG_NAME) else 1
