"""What an emulated device answers each client, and when: the same rules for every device.

a client may ask      from the configured addresses; without them from every private one
at most often         MAX_PER_S requests a second of one client are answered
min_interval_s        an answer waits until so much time has passed since the last one to this client
wait_fresh_s          an answer waits for the next telegram, where the client knows the last one: a battery that
                      asks more often than the meter sends would correct the same error twice. Who asks again
                      meanwhile waits no longer for that
target_w              what is shown is the power less this: the battery keeps so much import
dead_band_w           less than this is shown as 0
batteries             each is shown its share
"""

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.base.clock import boottime_s
from iskra_server.outputs.emulation.grid import Grid, GridReading
from iskra_server.outputs.state import OutputClient

# a battery asks once or twice a second; several may be behind one address
MAX_PER_S = 50
# the client that has asked longest ago makes room
MAX_CLIENTS = 256
# a client is shown so long after its last request
SHOWN_S = 3600.0

Networks = tuple[IPv4Network | IPv6Network, ...]


class Rules(Struct, frozen=True):
    """As configured in outputs.emulation. Without `for_batteries` it is a device that energy managers read: they get
    the power as it is, and the other rules keep their defaults.
    """

    networks: Networks = ()
    wait_fresh_s: float = 0.0
    min_interval_s: float = 0.0
    target_w: Decimal = Decimal(0)
    dead_band_w: Decimal = Decimal(0)
    batteries: int = 1
    for_batteries: bool = True


class Allowance:
    """How many requests of a client are answered: MAX_PER_S at once, and as many again each second."""

    def __init__(self) -> None:
        self._left = 0.0
        self._since_s = float("-inf")

    def take(self, now_s: float) -> bool:
        """Whether a request at this time (boot time) is answered."""
        self._left = min(MAX_PER_S, self._left + (now_s - self._since_s) * MAX_PER_S)
        self._since_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class _Client:
    """`told_arrived_s` is the arrival of the telegram in its last answer; `waits_since_s` that of the first request
    without an answer. All times are boot time.
    """

    def __init__(self) -> None:
        self.requests = self.answers = 0
        self.asked_at = datetime.now(UTC)
        self.asked_s = self.told_s = self.told_arrived_s = float("-inf")
        self.waits_since_s: float | None = None
        self.interval_s: float | None = None
        self.age_s: float | None = None
        self.max_age_s: float | None = None
        self.allowance = Allowance()


class Clients:
    """The clients of one device."""

    def __init__(self, grid: Grid, rules: Rules) -> None:
        self.grid = grid
        self.rules = rules
        # since the start: requests that were allowed, answers with a number, and the sum of the ages of their readings
        self.requests = self.answers = 0
        self.ages_s = 0.0
        # when the last request came (boot time)
        self.asked_s = float("-inf")
        # the one that asked last is last
        self._clients: OrderedDict[str, _Client] = OrderedDict()

    def may_ask(self, address: str) -> bool:
        """Notes the request of a client. False where its address is not allowed, or it asks too often: no answer."""
        if not self._is_allowed(address):
            return False
        client, now_s = self._client(address), boottime_s()
        pause_s = now_s - client.asked_s
        if client.requests:
            # follows a change of pace within a few requests
            client.interval_s = pause_s if client.interval_s is None else 0.8 * client.interval_s + 0.2 * pause_s
        client.requests += 1
        self.requests += 1
        client.asked_s, client.asked_at = now_s, datetime.now(UTC)
        self.asked_s = now_s
        return client.allowance.take(now_s)

    async def reading_for(self, address: str) -> GridReading | None:
        """The record for this client, when its answer is due; None where there is none: it must not get a number.

        May be cancelled for a newer request, which does not wait longer for that: a client that asks every second
        would have no answer before the next telegram, however late that is.
        """
        client, rules = self._client(address), self.rules
        if client.waits_since_s is None:
            client.waits_since_s = boottime_s()
        due_s = max(client.waits_since_s, client.told_s + rules.min_interval_s)
        await asyncio.sleep(max(0.0, due_s - boottime_s()))
        if rules.wait_fresh_s:
            await self.grid.newer(client.told_arrived_s, due_s + rules.wait_fresh_s - boottime_s())
        client.waits_since_s = None
        reading = self.newest_reading_for(address)
        if reading:
            client.told_s, client.told_arrived_s = boottime_s(), reading.arrived_s
        return reading

    def newest_reading_for(self, address: str) -> GridReading | None:
        """As `reading_for`, without waiting, and no later answer waits: for counters, and for what is sent unasked."""
        client = self._client(address)
        reading = self.grid.newest()
        if reading is None:
            return None
        client.answers += 1
        self.answers += 1
        client.age_s = self.grid.age_s(reading)
        self.ages_s += client.age_s
        client.max_age_s = max(client.max_age_s or 0.0, client.age_s)
        return adjusted(reading, self.rules)

    def list(self) -> tuple[OutputClient, ...]:
        """Those that asked within the last hour, the latest first."""
        now_s = boottime_s()
        return tuple(
            OutputClient(
                address=address,
                requests=client.requests,
                answers=client.answers,
                last_request=client.asked_at,
                interval_s=client.interval_s,
                age_s=client.age_s,
                max_age_s=client.max_age_s,
            )
            for address, client in reversed(self._clients.items())
            if now_s - client.asked_s <= SHOWN_S
        )

    def _client(self, address: str) -> _Client:
        client = self._clients.setdefault(address, _Client())
        self._clients.move_to_end(address)
        if len(self._clients) > MAX_CLIENTS:
            self._clients.popitem(last=False)
        return client

    def _is_allowed(self, address: str) -> bool:
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        # a client by IPv4, where the server listens to both
        ip = ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
        if self.rules.networks:
            return any(ip in network for network in self.rules.networks)
        return ip.is_private or ip.is_link_local


def networks(text: str) -> Networks:
    """Of addresses and networks, separated by commas. Raises ValueError, a clause with the wrong one."""
    found: list[IPv4Network | IPv6Network] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ip_network(part, strict=False))
        except ValueError:
            raise ValueError(f"'{part[:40]}' is no address or network such as 192.168.1.30 or 10.0.0.0/24") from None
    return tuple(found)


def adjusted(reading: GridReading, rules: Rules) -> GridReading:
    """The power as the rules want it shown; what they change is shown on L1, so that phases and total stay equal."""
    shown_w = reading.power_w - rules.target_w
    if abs(shown_w) <= rules.dead_band_w:
        shown_w = Decimal(0)
    change_w, share = shown_w - reading.power_w, Decimal(rules.batteries)
    if not change_w and rules.batteries == 1:
        return reading
    phases_w = reading.phases_w
    if phases_w:
        phases_w = (phases_w[0] + change_w) / share, phases_w[1] / share, phases_w[2] / share
    return replace(reading, power_w=shown_w / share, mean_w=(reading.mean_w + change_w) / share, phases_w=phases_w)
