"""`auto` finds the head: it probes one port after another until one sends telegrams of a meter.

Skips ports that another program has open, and known non-meter devices (opening an Arduino or a Zigbee stick resets it).
When the port is lost, the search starts again.
"""

import asyncio
import time
from collections.abc import Callable

from iskra_server.sources.errors import SourceError, no_port
from iskra_server.sources.ports import Port, list_ports, plugged
from iskra_server.sources.reconnect import Reconnecting, Report
from iskra_server.sources.serial import SerialLine, open_serial
from iskra_server.sources.source import FormatProblem, LineErrors, ReceivedWhileProbing, SourceState, plain_problem

# a meter sends every 1 to 4 s
PROBE_S = 5.0
# somebody may be placing the head and waiting for it
MAX_WAIT_S = 10.0
# several telegrams; older bytes do not help to recognise a meter
MAX_BYTES = 4096


class Finder:
    """Probes the ports. `recognise` gets all bytes of a port so far, and returns whether they are a meter's."""

    def __init__(
        self,
        recognise: Callable[[bytes], bool],
        ports: Callable[[], list[Port]],
        plugged: Callable[[], object],
        probe_s: float,
    ) -> None:
        self._recognise = recognise
        self._ports = ports
        self._plugged = plugged
        self._probe_s = probe_s

    async def find(self, report: Report) -> SerialLine:
        """The line of the meter, which gives the probed bytes again; raises SourceError when no port has a meter."""
        ports = await asyncio.to_thread(self._ports)
        candidates = [port for port in ports if not port.is_foreign and not _is_held(port)]
        errors: list[SourceError] = []
        for port in candidates:
            try:
                line = await open_serial(port.path)
                if await self._has_meter(line, report, is_only=len(candidates) == 1):
                    return line
            except SourceError as error:
                errors.append(error)
        raise _not_found(ports, candidates, errors)

    async def _has_meter(self, line: SerialLine, report: Report, *, is_only: bool) -> bool:
        """Probe for `probe_s`; the only port, as long as no other is plugged in."""
        before, probe, has_meter = self._plugged(), _PortProbe(line), False
        try:
            report(SourceState(line.port, is_open=False))
            has_meter = await self._receives_telegram(probe)
            while is_only and not has_meter and self._plugged() == before:
                report(_no_meter(line.port, probe.received()))
                has_meter = await self._receives_telegram(probe)
        finally:
            if not has_meter:
                await line.close()
        line.put_back(bytes(probe.data))
        return has_meter

    async def _receives_telegram(self, probe: "_PortProbe") -> bool:
        try:
            async with asyncio.timeout(self._probe_s):
                while True:
                    await probe.read()
                    if self._recognise(bytes(probe.data)):
                        return True
        except TimeoutError:
            return False


class _PortProbe:
    """Counts what comes from a line, and keeps its newest bytes."""

    def __init__(self, line: SerialLine) -> None:
        self.data = bytearray()
        self._line = line
        self._count = 0
        self._errors: LineErrors | None = None
        self._since_s = time.monotonic()

    async def read(self) -> None:
        data = await self._line.read()
        self._count += len(data)
        self.data += data
        del self.data[:-MAX_BYTES]

    def received(self) -> ReceivedWhileProbing:
        errors = self._line.errors()
        self._errors = errors and errors + (self._errors or LineErrors())
        return ReceivedWhileProbing(bytes(self.data), self._count, time.monotonic() - self._since_s, self._errors)


def auto_source(
    recognise: Callable[[bytes], bool],
    *,
    ports: Callable[[], list[Port]] = list_ports,
    plugged: Callable[[], object] = plugged,
    probe_s: float = PROBE_S,
    format_problem: FormatProblem = plain_problem,
) -> Reconnecting:
    finder = Finder(recognise, ports, plugged, probe_s)
    return Reconnecting(
        url="auto",
        port="auto",
        connect=finder.find,
        plugged=plugged,
        max_wait_s=MAX_WAIT_S,
        format_problem=format_problem,
    )


def _is_held(port: Port) -> bool:
    # a pseudo-terminal is also held open by the program that made it
    return port.holder is not None and not port.device.startswith("/dev/pts/")


def _no_meter(path: str, probe: ReceivedWhileProbing) -> SourceState:
    """The state of a port that sent no telegram; the diagnosis guesses from the bytes what is there instead."""
    details = {"port": path, "bytes": str(probe.count)}
    problem = "noise" if probe.count else "silence"
    return SourceState(path, is_open=False, problem=problem, details=details, probe=probe)


def _not_found(ports: list[Port], candidates: list[Port], errors: list[SourceError]) -> SourceError:
    if not ports:
        return SourceError(no_port())
    if not candidates:
        taken = ", ".join(f"{port.path} ({port.holder or 'not a head'})" for port in ports)
        return SourceError("all_taken", ports=taken)
    if len(errors) == len(candidates):
        return errors[0]
    return SourceError("no_meter_found", ports=", ".join(port.path for port in candidates))
