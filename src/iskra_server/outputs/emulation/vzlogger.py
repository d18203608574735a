"""The local interface of vzlogger, which evcc and openWB read: one channel for each register, by UUID.

    GET /         all channels: power, import, export, and then phases, currents and voltages where the meter sends them
    GET /UUID     one channel
    other paths   404; other methods 405; 503 while one of the channels has no value, because evcc reads 0 W from an
                  answer in which the channel is empty

openWB prints the answer with an indent of 4 and takes the number of one line: 13 is that of the first channel, and each
further one is 12 lines below. So the order of keys and channels stays as it is.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from uuid import UUID, uuid5

import msgspec

from iskra_server.base.json_values import number
from iskra_server.meter.lists import LIST_PROTOCOLS, Shown, shown
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import Sample
from iskra_server.meter.registers import BY_KEY
from iskra_server.meter.signed_power import PHASES, POWER
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.http_listener import JSON_TYPE, DeviceAnswer, DeviceRequest, HttpDevice

NAME = "vzlogger"
# the version whose answers these are
_VERSION = "0.8.10"
_CURRENTS_AND_VOLTAGES = tuple(
    BY_KEY[f"{kind}_l{phase}"].obis for kind in ("current", "voltage") for phase in (1, 2, 3)
)
# in the order of the channels
CODES = (POWER, IMPORT, EXPORT, *PHASES, *_CURRENTS_AND_VOLTAGES)
_FIRST = frozenset(CODES[:3])
FIRST_LINE, LINES = 13, 12
_NAMESPACE = UUID("5b0c7c3e-1f0d-4d27-9f6c-6f2f6a1c9d84")
_METHOD = DeviceAnswer(405, headers=(JSON_TYPE, ("Allow", "GET")))

log = logging.getLogger(__name__)


class Vzlogger(HttpDevice):
    """`with_obis`: each channel has its OBIS code, as vzlogger writes it since July 2026."""

    def __init__(self, clients: Clients, _mac: Callable[[], str | None], *, with_obis: bool = False) -> None:
        super().__init__(NAME, clients)
        self._with_obis = with_obis
        # meter id -> codes that it has sent: none of them is left out later
        self._sent: defaultdict[str, set[Obis]] = defaultdict(set)
        self._missing: set[Obis] = set()

    def knows(self, path: str) -> bool:
        return path == "/" or _uuid(path) is not None

    async def answer(self, request: DeviceRequest) -> DeviceAnswer:
        if request.method != "GET":
            return _METHOD
        grid = self.clients.grid
        sample = grid.last_sample() if grid.newest() else None
        channels = self._channels(sample) if sample else None
        if sample is None or channels is None:
            return DeviceAnswer(503)
        if uuid := _uuid(request.path):
            channels = {name: item for name, item in channels.items() if name == uuid}
            if not channels:
                return DeviceAnswer(404)
        self.clients.newest_reading_for(request.client)
        return DeviceAnswer(200, content(channels, sample.reading.protocol, with_obis=self._with_obis))

    def _channels(self, sample: Sample) -> dict[UUID, Shown] | None:
        """In their order; None while one has no value."""
        meter_id, current = sample.reading.meter_id, dict(_current(sample))
        sent = self._sent[meter_id]
        is_new = not current.keys() <= sent
        sent.update(current)
        missing = sent - current.keys()
        if sample.reading.protocol in LIST_PROTOCOLS:
            # some of its lists may come so rarely that what is measured in them is stale before the next one; but a
            # counter would move all channels behind it by 12 lines
            missing = (missing & _FIRST) | ({IMPORT} - current.keys())
        if missing - self._missing:
            codes = ", ".join(obis.short for obis in CODES if obis in missing)
            log.warning("%s: no answer until the meter sends %s.", NAME, codes)
        self._missing = missing
        if missing:
            return None
        channels = {channel_uuid(meter_id, obis): current[obis] for obis in CODES if obis in current}
        if is_new:
            for place, (uuid, item) in enumerate(channels.items()):
                line = FIRST_LINE + place * LINES
                log.info("%s: channel %s is %s (line %d for openWB).", NAME, uuid, item.register.obis.short, line)
        return channels


def channel_uuid(meter_id: str, obis: Obis) -> UUID:
    """The same for ever for a register of a meter."""
    return uuid5(_NAMESPACE, f"{meter_id} {obis}")


def content(channels: dict[UUID, Shown], protocol: str, *, with_obis: bool = False) -> bytes:
    """The body of an answer. One tuple a channel, in W, Wh, A or V; times in ms."""
    return msgspec.json.encode(
        {
            "version": _VERSION,
            "generator": "vzlogger",
            "data": [_channel(uuid, item, protocol, with_obis=with_obis) for uuid, item in channels.items()],
        }
    )


def _channel(uuid: UUID, item: Shown, protocol: str, *, with_obis: bool) -> dict[str, object]:
    value, at_ms = item.register.value, round(item.received_at.timestamp() * 1000)
    assert value is not None
    return {
        "uuid": str(uuid),
        "last": at_ms,
        "interval": -1,
        "protocol": protocol,
        "tuples": [(at_ms, number(value))],
        **({"obis": str(item.register.obis)} if with_obis else {}),
    }


def _current(sample: Sample) -> Iterator[tuple[Obis, Shown]]:
    """Of the registers that are channels, those that have a value now."""
    # the newest one of a code comes first, and here last
    for item in reversed(tuple(shown(sample, 0.0))):
        if item.register.obis in CODES and item.register.value is not None:
            yield item.register.obis, item


def _uuid(path: str) -> UUID | None:
    try:
        return UUID(path.removeprefix("/"))
    except ValueError:
        return None
