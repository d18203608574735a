"""The topics. `meter` is a meter's server id in hex.

BASE/availability             online | offline: the server; its last will
BASE/METER/availability       online | offline: whether the meter has a current reading
BASE/METER/state              every number of a telegram
BASE/METER/counters           the counters alone, less often
BASE/METER/energy             energy of today and of this month
BASE/METER/cost               prices, and the cost of today and of this month
BASE/METER/prices             prices from now on and the cheapest hours, where the price changes
BASE/METER/diagnostics        signal quality, lock state, problem, source, age
BASE/METER/event              a fault or its end, not retained
BASE/METER/discovery          an empty message of the server to itself, not retained: the end of what it reads
PREFIX/COMPONENT/METER/KEY/config   Home Assistant's discovery, classic form: one entity
PREFIX/device/METER/config          device form: all entities of a meter
PREFIX/status                 online | offline: Home Assistant itself
"""

from msgspec import Struct

ONLINE, OFFLINE = b"online", b"offline"
_DEVICE = "device"


class Topics(Struct, frozen=True):
    """Every topic begins with one of these two."""

    base: str
    prefix: str

    @property
    def server(self) -> str:
        return f"{self.base}/availability"

    @property
    def homeassistant(self) -> str:
        return f"{self.prefix}/status"

    def availability(self, meter: str) -> str:
        """Of one meter; "+" stands for all of them."""
        return f"{self.base}/{meter}/availability"

    def state(self, meter: str) -> str:
        return f"{self.base}/{meter}/state"

    def counters(self, meter: str) -> str:
        return f"{self.base}/{meter}/counters"

    def energy(self, meter: str) -> str:
        return f"{self.base}/{meter}/energy"

    def cost(self, meter: str) -> str:
        return f"{self.base}/{meter}/cost"

    def prices(self, meter: str) -> str:
        return f"{self.base}/{meter}/prices"

    def event(self, meter: str) -> str:
        return f"{self.base}/{meter}/event"

    def diagnostics(self, meter: str) -> str:
        return f"{self.base}/{meter}/diagnostics"

    def echo(self, meter: str) -> str:
        return f"{self.base}/{meter}/discovery"

    def entity(self, component: str, meter: str, key: str) -> str:
        return f"{self.prefix}/{component}/{meter}/{key}/config"

    def device(self, meter: str) -> str:
        return f"{self.prefix}/{_DEVICE}/{meter}/config"

    def discovery(self, meter: str) -> tuple[str, str]:
        """Filters for both forms of a meter's discovery."""
        return self.entity("+", meter, "+"), self.device(meter)

    def meter_of_availability(self, topic: str) -> str | None:
        """The meter of an availability topic; None for any other topic."""
        meter = topic.removeprefix(f"{self.base}/").partition("/")[0]
        return meter if topic == self.availability(meter) else None

    def meter_of_discovery(self, topic: str) -> str | None:
        """The meter of a discovery topic; None for any other topic."""
        component, _, rest = topic.removeprefix(f"{self.prefix}/").partition("/")
        meter, _, key = rest.removesuffix("/config").partition("/")
        return meter if topic in (self.device(meter), self.entity(component, meter, key)) else None
