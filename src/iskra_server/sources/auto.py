"""`auto` finds the head: it searches all ports at the same time until a meter is heard at one of them.

Skips ports that another program has open, ports of other meters of the configuration, and known non-meter devices
(opening an Arduino or a Zigbee stick resets it). When the port is lost, the search starts again.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Collection

from iskra_server.base.processes import is_server
from iskra_server.sources.asking import PluggedPort
from iskra_server.sources.errors import SourceError, no_port
from iskra_server.sources.port_memory import PortMemory
from iskra_server.sources.ports import Port, list_ports, plugged
from iskra_server.sources.reconnect import Line, Reconnecting, Report
from iskra_server.sources.search import ROUND, SILENT_ROUNDS, SearchedPort, Window, find_meter
from iskra_server.sources.source import (
    FormatProblem,
    OnUnrecognised,
    SourceState,
    ignore_unrecognised,
    plain_problem,
)

log = logging.getLogger(__name__)

# somebody may be placing the head and waiting for it
MAX_WAIT_S = 10.0
CHECK_EVERY_S = 0.5
# for a request and its answer, or for a speed that the bytes suggest
_LONGER_S = 10.0


class Finder:
    """Searches the ports; several ones are closed after some rounds, so that other programs can open theirs."""

    def __init__(
        self,
        ports: Callable[[], list[Port]],
        plugged: Callable[[], object],
        memory: PortMemory,
        windows: tuple[Window, ...],
        named: Collection[str],
        *,
        on_unrecognised: OnUnrecognised,
    ) -> None:
        self._ports = ports
        self._plugged = plugged
        self._memory = memory
        self._windows = windows
        self._named = named
        self._on_unrecognised = on_unrecognised
        self._seen: dict[str, PluggedPort] = {}

    async def find(self, report: Report) -> Line:
        """The line of the meter, which gives its bytes again; raises SourceError when no port has a meter."""
        line = None
        while line is None:
            before = self._plugged()
            ports = await asyncio.to_thread(self._ports)
            named = set(map(os.path.realpath, self._named))
            free = [port for port in ports if port.device not in named]
            candidates = [port.path for port in free if not port.is_foreign and not _is_held(port)]
            if not candidates:
                raise _no_candidate(ports)
            self._seen = {path: self._seen.get(path) or PluggedPort(path) for path in candidates}
            line = await self._search(report, before)
        if others := _others(candidates, line.port):
            log.info(
                "auto reads one meter, the one at %s. If there is a head at %s too, name all of them: IES_METERS=%s.",
                line.port,
                " or ".join(others),
                ",".join((line.port, *others)),
            )
        return line

    async def _search(self, report: Report, before: object) -> Line | None:
        """None when a port was plugged in or unplugged meanwhile."""
        report_port = report if len(self._seen) == 1 else lambda _: None
        searches = [asyncio.create_task(self._search_port(port, report_port)) for port in self._seen.values()]
        line = None
        try:
            line = await self._first(searches, report, before)
        finally:
            await _end(searches, line)
        return line

    async def _search_port(self, port: PluggedPort, report: Report) -> Line:
        searched = SearchedPort(
            port, self._memory, windows=self._windows, is_open=False, on_unrecognised=self._on_unrecognised
        )
        return await find_meter(searched, report)

    async def _first(self, searches: list["asyncio.Task[Line]"], report: Report, before: object) -> Line | None:
        """The first line that is found. The only port is searched for as long as no other is plugged in."""
        details = {"ports": ", ".join(self._seen)}
        round_s = sum(window.seconds for window in self._windows)
        began_s, errors, running = time.monotonic(), [], set(searches)
        while self._plugged() == before:
            done, running = await asyncio.wait(running, timeout=CHECK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            for search in done:
                error = search.exception()
                if error is None:
                    return search.result()
                if not isinstance(error, SourceError):
                    raise error
                errors.append(error)
            if not running:
                raise errors[0]
            passed_s = time.monotonic() - began_s
            if len(searches) > 1 and passed_s > SILENT_ROUNDS * round_s + _LONGER_S:
                raise SourceError("no_meter_found", **details)
            if len(searches) > 1 and passed_s > self._windows[0].seconds:
                report(SourceState("auto", is_open=False, problem="no_meter_found", details=details))
        return None


def auto_source(
    *,
    memory: PortMemory | None = None,
    ports: Callable[[], list[Port]] = list_ports,
    plugged: Callable[[], object] = plugged,
    windows: tuple[Window, ...] = ROUND,
    named: Collection[str] = (),
    format_problem: FormatProblem = plain_problem,
    on_unrecognised: OnUnrecognised = ignore_unrecognised,
) -> Reconnecting:
    """`named` are the ports of other meters of the configuration."""
    finder = Finder(ports, plugged, memory or PortMemory(), windows, named, on_unrecognised=on_unrecognised)
    return Reconnecting(
        url="auto",
        port="auto",
        connect=finder.find,
        plugged=plugged,
        max_wait_s=MAX_WAIT_S,
        format_problem=format_problem,
    )


async def _end(searches: list["asyncio.Task[Line]"], found: Line | None) -> None:
    """Close every port but that of the line that was found."""
    for search in searches:
        search.cancel()
    for result in await asyncio.gather(*searches, return_exceptions=True):
        if not isinstance(result, BaseException) and result is not found:
            await result.close()


def _others(paths: Collection[str], read: str) -> list[str]:
    return [path for path in paths if os.path.realpath(path) != os.path.realpath(read)]


def _is_held(port: Port) -> bool:
    # a pseudo-terminal is also held open by the program that made it
    return port.holder is not None and not port.device.startswith("/dev/pts/")


def _no_candidate(ports: list[Port]) -> SourceError:
    if not ports:
        return SourceError(no_port())
    if read := {port.path: port.holder for port in ports if port.holder and is_server(port.holder)}:
        return SourceError("read_by_server", port=", ".join(read), program=", ".join(dict.fromkeys(read.values())))
    taken = ", ".join(f"{port.path} ({port.holder or 'not a head'})" for port in ports)
    return SourceError("all_taken", ports=taken)
