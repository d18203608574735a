"""evcc and openWB read the emulated devices: their requests byte by byte, and what they take from the answers.

The requests are those of Go's HTTP client as evcc sends them, and `EVCC` has the expressions of its templates
everhome-ecotracker, vzlogger and shelly-3em (August 2026) in Python. openWB prints the answer of vzlogger with an
indent of 4 and takes numbers by their lines. Each must get the right number, and without a current reading none.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from emulating import MAC, GridMeter, in_event_loop, running
from iskra_server.meter.reading import Register
from iskra_server.meter.signed_power import PHASES
from iskra_server.meter.units import WATT
from iskra_server.outputs.emulation.ecotracker import EcoTracker
from iskra_server.outputs.emulation.http_listener import HttpListener
from iskra_server.outputs.emulation.shelly_3em import Shelly3Em
from iskra_server.outputs.emulation.vzlogger import Vzlogger, channel_uuid
from running import free_port
from samples import EXPORT, IMPORT, METER_ID, POWER, energy, power

CACHED = "Cache-Control: max-age=1, must-revalidate\r\n"
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: evcc/0.310.0\r\nAccept: application/json\r\n{cached}"
    "Accept-Encoding: gzip\r\n\r\n"
)
UUIDS = {obis: str(channel_uuid(METER_ID, obis)) for obis in (POWER, IMPORT, EXPORT, *PHASES)}


class NoNumberError(Exception):
    """The energy manager reports that the meter cannot be read."""


def evcc_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoNumberError(value)
    return value


def of_channel(uuid: str, otherwise: object = None) -> Callable[[Any], object]:
    """.data[] | select(.uuid==UUID) | .tuples[0][1]"""

    def take(answer: Any) -> object:
        (channel,) = [channel for channel in answer["data"] if channel["uuid"] == uuid]
        return next((value for _, value in channel["tuples"]), otherwise)

    return take


# device, path, whether it is asked at most once a second, expression -> what it must be
EVCC: dict[tuple[str, str], tuple[bool, Callable[[Any], object], float]] = {
    ("ecotracker power", "/v1/json"): (False, lambda answer: answer["power"], -388),
    # (.tuples[0][1]? // 0): an empty channel would be 0 W
    ("vzlogger power", "/"): (True, of_channel(UUIDS[POWER], 0), -388),
    ("vzlogger energy", "/"): (True, of_channel(UUIDS[IMPORT]), 12_345_678.9),
    ("vzlogger returnenergy", "/"): (True, of_channel(UUIDS[EXPORT]), 1234.5),
    ("vzlogger powers 1", "/"): (True, of_channel(UUIDS[PHASES[0]]), 400),
    ("vzlogger powers 2", "/"): (True, of_channel(UUIDS[PHASES[1]]), -800),
    ("vzlogger powers 3", "/"): (True, of_channel(UUIDS[PHASES[2]]), 12),
    ("shelly_3em power", "/status"): (True, lambda answer: sum(each["power"] for each in answer["emeters"]), -388),
    ("shelly_3em energy", "/status"): (
        *(True, lambda answer: sum(each["total"] for each in answer["emeters"])),
        12_345_678.9,
    ),
    ("shelly_3em returnenergy", "/status"): (
        *(True, lambda answer: sum(each["total_returned"] for each in answer["emeters"])),
        1234.5,
    ),
    ("shelly_3em powers 1", "/emeter/0"): (True, lambda answer: answer["power"], 400),
    ("shelly_3em powers 2", "/emeter/1"): (True, lambda answer: answer["power"], -800),
    ("shelly_3em powers 3", "/emeter/2"): (True, lambda answer: answer["power"], 12),
    ("shelly_3em currents 2", "/emeter/1"): (True, lambda answer: answer["current"], 3.478),
    ("shelly_3em voltages 3", "/emeter/2"): (True, lambda answer: answer["voltage"], 230),
}


class Connection:
    """To one device, kept open as Go's client keeps it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self, path: str, *, is_cached: bool = False) -> Any:
        """The JSON of the answer. Raises NoNumberError."""
        host, port = self._writer.get_extra_info("peername")
        cached = CACHED if is_cached else ""
        self._writer.write(REQUEST.format(path=path, host=f"{host}:{port}", cached=cached).encode())
        status, *headers = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        fields = dict(header.split(": ") for header in headers)
        # Go closes the connection on anything else, and openWB's client as well
        assert fields.keys() == {"Content-Type", "Content-Length"}
        body = await self._reader.readexactly(int(fields["Content-Length"]))
        if status != "HTTP/1.1 200 OK":
            raise NoNumberError(status)
        return json.loads(body)


@asynccontextmanager
async def connected(meter: GridMeter) -> AsyncIterator[dict[str, Connection]]:
    """All devices at one port, and a connection to it for each."""
    port, mac = free_port(), lambda: MAC
    devices = [make(meter.clients(), mac) for make in (EcoTracker, Vzlogger, Shelly3Em)]
    async with running(HttpListener("127.0.0.1", port, devices).run()), asyncio.timeout(60):
        await devices[0].opened.wait()
        connections = {device.name: await asyncio.open_connection("127.0.0.1", port) for device in devices}
        yield {name: Connection(*connection) for name, connection in connections.items()}
        for _, writer in connections.values():
            writer.close()


def send(meter: GridMeter, *, age_s: float = 0.0) -> None:
    phases = (Register(obis, watts, 0, WATT) for obis, watts in zip(PHASES, (400, -800, 12), strict=True))
    meter.send(energy(123_456_789), energy(12_345, obis=EXPORT), power(-388), *phases, age_s=age_s)


@in_event_loop
async def test_evcc_gets_every_number_of_its_templates() -> None:
    meter = GridMeter()
    send(meter)
    async with connected(meter) as devices:
        for (name, path), (is_cached, take, expected) in EVCC.items():
            answer = await devices[name.split()[0]].get(path, is_cached=is_cached)
            assert evcc_number(take(answer)) == pytest.approx(expected), name


@in_event_loop
async def test_evcc_gets_no_number_without_a_current_reading() -> None:
    meter = GridMeter()
    async with connected(meter) as devices:
        for age_s in (None, 11):
            if age_s:
                send(meter, age_s=age_s)
            for (name, path), (is_cached, _, _) in EVCC.items():
                with pytest.raises(NoNumberError, match=r"^HTTP/1\.1 503 Service Unavailable$"):
                    await devices[name.split()[0]].get(path, is_cached=is_cached)


@in_event_loop
async def test_openwb_gets_the_number_of_each_line() -> None:
    meter = GridMeter()
    send(meter)
    async with connected(meter) as devices:
        lines = json.dumps(await devices["vzlogger"].get("/"), indent=4).splitlines()
    assert {line: float(lines[line - 1].strip().rstrip(",")) for line in (13, 25, 37, 49, 61, 73)} == {
        **{13: -388, 25: 12_345_678.9, 37: 1234.5},
        **{49: 400, 61: -800, 73: 12},
    }
