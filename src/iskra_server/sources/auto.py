"""`auto` finds the head: it listens to one port after another and takes the one whose bytes are a meter's.

Left alone are ports that another program holds and sticks whose name says that they are something else: to open them
would reset them. Nothing is remembered: when the port is lost, the search begins anew.
"""

import asyncio
import time
from collections.abc import Callable

from iskra_server.sources.errors import SourceError, no_port
from iskra_server.sources.line_errors import LineErrors
from iskra_server.sources.ports import Port, list_ports, plugged
from iskra_server.sources.reconnect import Reconnecting, Report
from iskra_server.sources.serial import SerialLine, open_serial
from iskra_server.sources.source import FormatProblem, ReceivedWhileProbing, SourceState, plain_problem

# meters push every 1 to 4 s
PATIENCE_S = 5.0
# a head is being put in place meanwhile, somebody waits
MAX_WAIT_S = 10.0
# several telegrams; what is older cannot help to recognise a meter
MAX_BYTES = 4096


class Finder:
    """One search after another. `recognise` is asked with all bytes that came from a port so far."""

    def __init__(
        self,
        recognise: Callable[[bytes], bool],
        ports: Callable[[], list[Port]],
        plugged: Callable[[], object],
        patience_s: float,
    ) -> None:
        self._recognise = recognise
        self._ports = ports
        self._plugged = plugged
        self._patience_s = patience_s

    async def find(self, report: Report) -> SerialLine:
        """The meter's line with the bytes that gave it away; raises `Trouble` when it is on no port."""
        ports = await asyncio.to_thread(self._ports)
        candidates = [port for port in ports if not port.is_foreign and not _is_held(port)]
        troubles: list[SourceError] = []
        for port in candidates:
            try:
                line = await open_serial(port.path)
                if await self._is_meter(line, report, alone=len(candidates) == 1):
                    return line
            except SourceError as trouble:
                troubles.append(trouble)
        raise _nothing_found(ports, candidates, troubles)

    async def _is_meter(self, line: SerialLine, report: Report, *, alone: bool) -> bool:
        """Listen for as long as patience lasts; to the only port for as long as it stays the only one."""
        before, ear, found = self._plugged(), _Ear(line), False
        try:
            report(SourceState(line.port, is_open=False))
            found = await self._hears_meter(ear)
            while alone and not found and self._plugged() == before:
                report(_no_meter(line.port, ear.heard()))
                found = await self._hears_meter(ear)
        finally:
            if not found:
                await line.close()
        line.put_back(bytes(ear.data))
        return found

    async def _hears_meter(self, ear: "_Ear") -> bool:
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    await ear.listen()
                    if self._recognise(bytes(ear.data)):
                        return True
        except TimeoutError:
            return False


class _Ear:
    """What comes from a line that is listened to; the newest bytes are kept."""

    def __init__(self, line: SerialLine) -> None:
        self.data = bytearray()
        self._line = line
        self._count = 0
        self._errors: LineErrors | None = None
        self._since_s = time.monotonic()

    async def listen(self) -> None:
        data = await self._line.read()
        self._count += len(data)
        self.data += data
        del self.data[:-MAX_BYTES]

    def heard(self) -> ReceivedWhileProbing:
        errors = self._line.errors()
        self._errors = errors and errors + (self._errors or LineErrors())
        return ReceivedWhileProbing(bytes(self.data), self._count, time.monotonic() - self._since_s, self._errors)


def auto_source(
    recognise: Callable[[bytes], bool],
    *,
    ports: Callable[[], list[Port]] = list_ports,
    plugged: Callable[[], object] = plugged,
    patience_s: float = PATIENCE_S,
    format_problem: FormatProblem = plain_problem,
) -> Reconnecting:
    finder = Finder(recognise, ports, plugged, patience_s)
    return Reconnecting(
        url="auto",
        port="auto",
        connect=finder.find,
        plugged=plugged,
        longest_wait_s=MAX_WAIT_S,
        format_problem=format_problem,
    )


def _is_held(port: Port) -> bool:
    # the program that made a pseudo terminal holds it open itself
    return port.holder is not None and not port.device.startswith("/dev/pts/")


def _no_meter(path: str, heard: ReceivedWhileProbing) -> SourceState:
    """What is heard may tell what is there instead; that is for others to judge."""
    details = {"port": path, "bytes": str(heard.count)}
    return SourceState(path, is_open=False, problem="noise" if heard.count else "silence", details=details, probe=heard)


def _nothing_found(ports: list[Port], candidates: list[Port], troubles: list[SourceError]) -> SourceError:
    if not ports:
        return SourceError(no_port())
    if not candidates:
        taken = ", ".join(f"{port.path} ({port.holder or 'not a head'})" for port in ports)
        return SourceError("all_taken", ports=taken)
    if len(troubles) == len(candidates):
        return troubles[0]
    return SourceError("not_heard", ports=", ".join(port.path for port in candidates))
