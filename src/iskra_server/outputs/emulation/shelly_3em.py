"""Shelly 3EM, the first generation, which evcc, openWB and older programs read.

GET /shelly      which device it is
GET /status      all three phases
GET /emeter/N    one phase: 0, 1 or 2
without a value  503: its "is_valid": false is not read by those that ask
"""

import time
from collections.abc import Callable

import msgspec

from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.http_listener import JSON_TYPE, DeviceAnswer, DeviceRequest, HttpDevice
from iskra_server.outputs.emulation.shelly_measurements import em_data, em_status

NAME = "shelly_3em"
_FIRMWARE = "20230913-114244/v1.14.0-gcb84623"
_PHASES = {f"/emeter/{number}": letter for number, letter in enumerate("abc")}


class Shelly3Em(HttpDevice):
    """`mac`: twelve hex digits; None before the meter is known."""

    def __init__(self, clients: Clients, mac: Callable[[], str | None]) -> None:
        super().__init__(NAME, clients)
        self._mac = mac

    def knows(self, path: str) -> bool:
        return path in ("/shelly", "/status") or path in _PHASES

    async def answer(self, request: DeviceRequest) -> DeviceAnswer:
        if request.method not in ("GET", "HEAD", "POST"):
            return DeviceAnswer(405, headers=(JSON_TYPE, ("Allow", "GET, HEAD, POST")))
        mac = self._mac()
        if mac and request.path == "/shelly":
            return _answer(device(mac))
        reading = await self.clients.reading_for(request.client) if mac else None
        if mac is None or reading is None:
            return DeviceAnswer(503)
        if request.path == "/status":
            return _answer(status(reading, mac, time.time()))
        return _answer(phase(reading, _PHASES[request.path]))


def device(mac: str) -> dict[str, object]:
    """Of /shelly. The first generation has no `gen`."""
    return {
        "type": "SHEM-3",
        "mac": mac.upper(),
        "auth": False,
        "fw": _FIRMWARE,
        "longid": 1,
        "num_outputs": 1,
        "num_meters": 0,
        "num_emeters": 3,
    }


def status(reading: GridReading, mac: str, now_s: float) -> dict[str, object]:
    """Of /status, at `now_s` (Unix time)."""
    return {
        "wifi_sta": {"connected": True},
        "cloud": {"enabled": False, "connected": False},
        "mqtt": {"connected": False},
        "time": time.strftime("%H:%M", time.localtime(now_s)),
        "unixtime": int(now_s),
        "has_update": False,
        "mac": mac.upper(),
        "relays": [],
        "emeters": [phase(reading, letter) for letter in _PHASES.values()],
        "total_power": em_status(reading, typical=True)["total_act_power"],
        "fs_mounted": True,
    }


def phase(reading: GridReading, letter: str) -> dict[str, object]:
    """Of /emeter/N, the phase a, b or c."""
    measured, counted = em_status(reading, typical=True), em_data(reading)
    return {
        "power": measured[f"{letter}_act_power"],
        "pf": measured[f"{letter}_pf"],
        "current": measured[f"{letter}_current"],
        "voltage": measured[f"{letter}_voltage"],
        "is_valid": True,
        "total": counted[f"{letter}_total_act_energy"],
        "total_returned": counted[f"{letter}_total_act_ret_energy"],
    }


def _answer(content: dict[str, object]) -> DeviceAnswer:
    return DeviceAnswer(200, msgspec.json.encode(content))
