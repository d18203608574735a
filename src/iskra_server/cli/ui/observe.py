"""Reads meters as the server does, with the same readers and diagnosis, for commands that watch them."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from iskra_server.base.processes import sockets_of_other_servers
from iskra_server.base.secret import Secret
from iskra_server.cli.ui.local_server import ask
from iskra_server.cli.ui.meter_source import TICK_S, open_meter_source
from iskra_server.cli.ui.options import only_set
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import Config, ServerConfig, load_with_origins
from iskra_server.diagnosis.status import Status
from iskra_server.meter.guard import Guard
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.reading.statuses import Statuses
from iskra_server.runtime.meter_reader import configured_reader
from iskra_server.runtime.meter_setup import meter_decoding, named_ports, port_memory
from iskra_server.sources.ports import list_ports
from iskra_server.sources.shared_line import split_name
from iskra_server.web.api.status import ServerStatus

# problems that mean that another program, perhaps our own server, has the port open
PORT_IN_USE = frozenset(("busy", "busy_unknown", "read_by_server", "all_taken"))


class ReadByServer(NamedTuple):
    """A port that a server of this machine reads: the server, all that it answered, and the status of the port."""

    server: ServerConfig
    answer: ServerStatus
    status: Status


def config_with_meters(file: Path | None, urls: Sequence[str] | None) -> Config:
    """The effective configuration, with the meters of the command line if there are any."""
    config = load_with_origins(os.environ, file, only_set({"meters.url": list(urls or ())})).config
    if not config.meters_read:
        raise UsageError("This configuration has no meter; name one, such as /dev/ttyUSB0.")
    return config


def config_with_one_meter(file: Path | None, url: str | None) -> Config:
    """As `config_with_meters`, for commands that watch a single meter. Raises UsageError for several."""
    config = config_with_meters(file, [url] if url else None)
    if len(config.meters) > 1:
        raise UsageError(f"There are {len(config.meters)} meters; name one, such as {config.meters[0].url}.")
    return config


def make_readers(config: Config, hub: Hub | None = None) -> list[Reader]:
    """A reader per configured meter; all publish to one hub."""
    hub, guard = hub or Hub(), Guard()
    memory = port_memory(config.history.data_dir, writes=False)
    named = named_ports(config.meters_read)
    sources = [open_meter_source(meter.url, memory, named) for meter in config.meters_read]
    return [
        configured_reader(meter, source, meter_decoding(meter))(guard=guard, hub=hub)
        for meter, source in zip(config.meters_read, sources, strict=True)
    ]


@asynccontextmanager
async def running_readers(meter_readers: Sequence[Reader]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Runs each reader in a task; closes their ports at the end."""
    tasks = [asyncio.create_task(reader.run()) for reader in meter_readers]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def watch_statuses(meter_readers: Sequence[Reader]) -> AsyncGenerator[list[Status]]:
    """The status of all readers, several times a second; closing the generator closes their ports."""
    async with running_readers(meter_readers) as tasks:
        while True:
            await asyncio.sleep(TICK_S)
            for task in tasks:
                if task.done():
                    task.result()
            yield list(Statuses(meter_readers))


async def servers_that_read(configured: ServerConfig, busy: Sequence[Status]) -> list[ReadByServer | None]:
    """For each busy port, the server of this machine that has it open: the configured one, else another one.

    Each server is asked once. None: another program has the port open, or a server that does not answer us.
    """
    answer = await server_of_this_machine(configured)
    found = [_read_by(configured, answer, status) for status in busy]
    if None not in found:
        return found
    others = await _answers_of_other_servers(configured)
    # `auto` has opened none of the local ports: a server that reads one of them has it
    is_any = any(status.source == "auto" for status in busy)
    local = {port.device for port in await asyncio.to_thread(list_ports)} if is_any else set()
    for index, status in enumerate(busy):
        devices = local if status.source == "auto" else {_device_and_address(status.port)[0]}
        for server, answer in others.items():
            if not found[index] and any(_device_and_address(meter.port)[0] in devices for meter in answer.meters):
                found[index] = _read_by(server, answer, status)
    return found


async def _answers_of_other_servers(configured: ServerConfig) -> dict[ServerConfig, ServerStatus]:
    # the token is that of another server: a program that only has its name must not get it
    servers = {
        replace(configured, host=opened.host, port=opened.port, token=Secret(), tls_cert=tls_cert)
        for opened in await asyncio.to_thread(lambda: list(sockets_of_other_servers()))
        for tls_cert in ("", "any")
    }
    answers = zip(servers, await asyncio.gather(*map(server_of_this_machine, servers)), strict=True)
    return {server: answer for server, answer in answers if answer}


def _read_by(server: ServerConfig, answer: ServerStatus | None, busy: Status) -> ReadByServer | None:
    status = _same_port(busy, answer.meters) if answer else None
    return ReadByServer(server, answer, status) if answer and status else None


async def status_from_server(server: ServerConfig, busy: Status) -> Status | None:
    """The status of a busy port, asked of a server of this machine; None if it does not read that port."""
    answer = await server_of_this_machine(server)
    return _same_port(busy, answer.meters) if answer else None


async def server_of_this_machine(server: ServerConfig) -> ServerStatus | None:
    """What it answers; None where there is none, another program, or another version."""
    try:
        answer = await asyncio.to_thread(ask, server, "/api/v1/status")
        return msgspec.json.decode(answer, type=ServerStatus, strict=False)
    except (OSError, HTTPException, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _same_port(busy: Status, statuses: Sequence[Status]) -> Status | None:
    """The status of the same port; for `auto`, whose ports are all busy, any.

    Of several meters on one line it is that with the same address, or any where none is named.
    """
    device, address = _device_and_address(busy.port)
    for status in statuses:
        other, other_address = _device_and_address(status.port)
        if busy.source == "auto" or (device == other and address in ("", other_address)):
            return status
    return None


def _device_and_address(port: str) -> tuple[str, str]:
    path, address = split_name(port)
    return os.path.realpath(path), address
