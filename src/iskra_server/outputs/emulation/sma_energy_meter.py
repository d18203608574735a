"""SMA Energy Meter: a datagram about once a second to a multicast group that SMA devices, evcc and openWB listen to.

    0  "SMA" 0         12  length - 20     20  serial number               28  values
    4  00 04 02 A0     14  00 10           24  milliseconds (wrapping)    -12  90 00 00 00, version
    8  00 00 00 01     16  60 69, SUSy-ID                                  -4  00 00 00 00

Big endian. A value is `00 channel type 00`, then 4 bytes of what is measured now (type 4: 0.1 W, mA, mV, mHz) or 8
bytes of a counter (type 8: Ws). Import and export are channels of their own, never both above 0. There is no word for
"not measured": reactive and apparent power, power factors, and what the meter does not send, are 0.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import ROUND_HALF_EVEN, Decimal
from struct import pack
from typing import Literal

from iskra_server.base.announcement import addresses_of
from iskra_server.base.clock import boottime_s
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.device import SendingDevice
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.last_counters import LastCounters

NAME = "sma_energy_meter"
GROUP, PORT = "239.12.255.254", 9522
# as the device has it
TTL = 32
# with a new telegram at the earliest, without one at the latest
MIN_INTERVAL_S, MAX_INTERVAL_S = 0.5, 1.1
# for networks that come and go
_LOOK_EVERY_S = 10.0

Model = Literal["em1", "em2"]
_SUSY_IDS: dict[Model, int] = {"em1": 270, "em2": 349}
# 1.2.4.R
_VERSION = bytes((1, 2, 4, 0x52))
_NOW, _COUNTER = 4, 8
_MAX_NOW = 0xFFFF_FFFF
_WS_PER_WH = 3600
# the first channel of import and export
_ACTIVE, _REACTIVE, _APPARENT = (1, 2), (3, 4), (9, 10)
_POWER_FACTOR, _FREQUENCY = 13, 14
# the first channel of a phase is 20, 40, 60 higher
_PHASE, _CURRENT, _VOLTAGE = 20, 11, 12
# nine digits, where those of SMA have ten: no other device has this number
_FIRST_SERIAL, _SERIALS = 100_000_000, 900_000_000

_ZERO = Decimal(0)

log = logging.getLogger(__name__)


class SmaEnergyMeter(SendingDevice):
    """Sends to each network of `host`. `mac` is what its serial number is made of, None before the meter is known."""

    def __init__(self, clients: Clients, mac: Callable[[], str | None], *, model: Model, host: str) -> None:
        super().__init__(NAME, clients)
        self._mac = mac
        self._model = model
        self._host = host
        self._sockets: dict[str, socket.socket] = {}
        self._looked_s = float("-inf")
        self._counters = LastCounters(NAME)
        self._serial = 0

    async def run(self) -> None:
        """Until it is cancelled. Silent while there is no current reading."""
        grid, arrived_s = self.clients.grid, float("-inf")
        try:
            while True:
                self._look_for_networks()
                newest = grid.newest()
                if (
                    (mac := self._mac())
                    and newest
                    and (counters_wh := self._counters.of(newest))
                    and (reading := self.clients.newest_reading_for(GROUP))
                ):
                    arrived_s, number = reading.arrived_s, serial(mac)
                    if number != self._serial:
                        # to be entered in some clients
                        log.info("%s: it sends with the serial number %d.", self.name, number)
                    self._serial = number
                    self._send(datagram(reading, counters_wh, self._model, number, boottime_s()))
                await asyncio.sleep(MIN_INTERVAL_S)
                await grid.newer(arrived_s, MAX_INTERVAL_S - MIN_INTERVAL_S)
        finally:
            for address in tuple(self._sockets):
                self._sockets.pop(address).close()

    def _look_for_networks(self) -> None:
        if boottime_s() - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = boottime_s()
        addresses = addresses_of(self._host, one_per_interface=True)
        for address in self._sockets.keys() - set(addresses):
            self._sockets.pop(address).close()
        for address in addresses:
            if address not in self._sockets:
                # it may vanish between the two calls
                with suppress(OSError):
                    self._sockets[address] = _sender(address)
                    self.recovered()
        if not self._sockets:
            self.failed(
                f"No network of this machine can be sent to ({self._host}); the next try follows within 10 s.",
                f"In kein Netz dieses Rechners kann gesendet werden ({self._host}); "
                "der nächste Versuch folgt innerhalb von 10 s.",
            )

    def _send(self, data: bytes) -> None:
        reasons = []
        for sender in self._sockets.values():
            try:
                sender.sendto(data, (GROUP, PORT))
            except OSError as error:
                reasons.append(error.strerror or str(error))
        if reasons and len(reasons) == len(self._sockets):
            self.failed(
                f"Nothing can be sent to the multicast group {GROUP} ({reasons[0]}).",
                f"An die Multicast-Gruppe {GROUP} kann nichts gesendet werden ({reasons[0]}).",
            )
        elif self._sockets:
            self.recovered()


def _sender(address: str) -> socket.socket:
    """Sends to the network of this address of the machine, and to the programs of the machine. Raises OSError."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sender.setblocking(False)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, TTL)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        sender.bind((address, 0))
    except OSError:
        sender.close()
        raise
    return sender


def serial(mac: str) -> int:
    """The serial number of a device with this number (twelve hex digits)."""
    return _FIRST_SERIAL + int(mac, 16) % _SERIALS


def datagram(
    reading: GridReading, counters_wh: tuple[Decimal, Decimal], model: Model, serial_number: int, at_s: float
) -> bytes:
    """600 bytes, of em2 608: with the frequency. `counters_wh` are import and export, `at_s` is boot time."""
    values = b"".join(_values(reading, counters_wh, model))
    body = pack(">HHHII", 0x10, 0x6069, _SUSY_IDS[model], serial_number, int(at_s * 1000) & 0xFFFF_FFFF)
    body += values + b"\x90\0\0\0" + _VERSION
    return b"SMA\0" + bytes((0, 4, 2, 0xA0)) + pack(">IH", 1, len(body) - 2) + body + bytes(4)


def _values(reading: GridReading, counters_wh: tuple[Decimal, Decimal], model: Model) -> Iterator[bytes]:
    """The power of a meter that sends no phases is shown on L1; so are all energies, so that the phases add up."""
    yield from _powers(0, reading.power_w, counters_wh)
    yield _now(_POWER_FACTOR, _ZERO)
    if model == "em2":
        yield _now(_FREQUENCY, (reading.frequency_hz or _ZERO) * 1000)
    phases_w = reading.phases_w or (reading.power_w, _ZERO, _ZERO)
    for index, power_w in enumerate(phases_w):
        first = _PHASE * (index + 1)
        yield from _powers(first, power_w, (_ZERO, _ZERO) if index else counters_wh)
        yield _now(first + _CURRENT, (reading.currents_a[index] or _ZERO) * 1000)
        yield _now(first + _VOLTAGE, (reading.voltages_v[index] or _ZERO) * 1000)
        yield _now(first + _POWER_FACTOR, _ZERO)


def _powers(first: int, power_w: Decimal, counters_wh: Iterable[Decimal]) -> Iterator[bytes]:
    split_w = max(power_w, _ZERO), max(-power_w, _ZERO)
    for channel, value_w, counter_wh in zip(_ACTIVE, split_w, counters_wh, strict=True):
        yield _now(first + channel, value_w * 10)
        yield _counter(first + channel, counter_wh)
    for channel in (*_REACTIVE, *_APPARENT):
        yield _now(first + channel, _ZERO)
        yield _counter(first + channel, _ZERO)


def _now(channel: int, value: Decimal) -> bytes:
    return pack(">BBBBI", 0, channel, _NOW, 0, max(0, min(_MAX_NOW, _whole(value))))


def _counter(channel: int, energy_wh: Decimal) -> bytes:
    return pack(">BBBBQ", 0, channel, _COUNTER, 0, _whole(energy_wh * _WS_PER_WH))


def _whole(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_EVEN))
