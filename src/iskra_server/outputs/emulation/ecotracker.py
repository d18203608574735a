"""EcoTracker of everHome: one JSON object over HTTP, which most plug-in batteries read.

    power, powerAvg       W, whole numbers; now, and the mean of the last minute
    powerPhase1..3        W, where the meter sends all three phases
    energyCounterIn, Out  Wh; In of tariffs 1 and 2 where it sends them
    agePower              ms since the telegram arrived

The maker documents all but agePower, which real devices send (its unit is not documented).
"""

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from iskra_server.base.announcement import AnnouncedService
from iskra_server.base.json_values import number
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.http_listener import JSON_TYPE, DeviceAnswer, DeviceRequest, HttpDevice

NAME = "ecotracker"
PATH = "/v1/json"
SERVICE = "_everhome._tcp"
# of the EcoTracker
_PRODUCT_ID = "1137"


class EcoTracker(HttpDevice):
    """`mac` gives its serial number, twelve hex digits; None before the meter is known."""

    def __init__(self, clients: Clients, mac: Callable[[], str | None]) -> None:
        super().__init__(NAME, clients)
        self._mac = mac

    def knows(self, path: str) -> bool:
        return path == PATH

    async def answer(self, request: DeviceRequest) -> DeviceAnswer:
        if request.method not in ("GET", "HEAD"):
            return DeviceAnswer(405, headers=(JSON_TYPE, ("Allow", "GET, HEAD")))
        reading = await self.clients.reading_for(request.client)
        if reading is None:
            return DeviceAnswer(503)
        return DeviceAnswer(200, content(reading, self.clients.grid.age_s(reading)))

    def services(self, addresses: tuple[str, ...], port: int) -> Iterable[AnnouncedService]:
        """As a real one announces itself: the address in capitals, the serial number in small letters."""
        if mac := self._mac():
            name = f"ecotracker-{mac.upper()}"
            text = {"ip": addresses[0], "serial": mac, "productid": _PRODUCT_ID}
            yield AnnouncedService(SERVICE, name, port, text, name)


def content(reading: GridReading, age_s: float) -> bytes:
    """The body of an answer."""
    fields: dict[str, object] = {
        "power": _whole(reading.power_w),
        "powerAvg": _whole(reading.mean_w),
        "agePower": round(age_s * 1000),
    }
    if reading.phases_w:
        fields |= {f"powerPhase{phase}": _whole(power_w) for phase, power_w in enumerate(reading.phases_w, 1)}
    energies_wh = {
        "energyCounterIn": reading.import_wh,
        "energyCounterInT1": reading.tariffs_wh[0],
        "energyCounterInT2": reading.tariffs_wh[1],
        "energyCounterOut": reading.export_wh,
    }
    fields |= {name: number(value) for name, value in energies_wh.items() if value is not None}
    return msgspec.json.encode(fields)


def _whole(power_w: Decimal) -> int:
    return int(power_w.quantize(Decimal(1), ROUND_HALF_EVEN))
