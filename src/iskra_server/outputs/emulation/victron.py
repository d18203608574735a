"""Grid meter of Venus OS: the JSON that its driver dbus-mqtt-grid reads from an MQTT broker, with each telegram.

    {"grid": {"power": W, "voltage": V, "current": A, "energy_forward": kWh, "energy_reverse": kWh,
              "L1": {"power": W, "voltage": V, "current": A, "frequency": Hz}, "L2": {...}, "L3": {...}}}

What the meter does not send is not there; without powers of phases the whole power is on L1, and L2 and L3 are missing.
Nothing is retained or kept by the broker: a client that comes later would get an old value as a new one. While there is
no current reading nothing is sent, and TOPIC/availability, which is retained, is "offline".
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import msgspec
from msgspec import Raw

from iskra_server.base.backoff import Backoff
from iskra_server.base.json_values import number
from iskra_server.mqtt.access import BrokerAccess
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import GOODBYE_S, BrokerConnection
from iskra_server.mqtt.message import Message, MqttError, error_of
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.device import SendingDevice
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.grid_totals import mean_voltage_v, total_current_a

NAME = "victron"
ONLINE, OFFLINE = b"online", b"offline"
# a battery waits for it
_RETRY_S, _MAX_RETRY_S = 1.0, 5.0
# how soon a reading that becomes stale is noticed
_CHECK_S = 1.0
# the broker drops a message that nobody got within this time, or before its reading is stale (MQTT 5, whole seconds)
_EXPIRE_S = 5


class Victron(SendingDevice):
    """`topic` as in the configuration of dbus-mqtt-grid. The identity of the device is the topic."""

    is_local = False

    def __init__(self, clients: Clients, _mac: Callable[[], str | None], *, access: BrokerAccess, topic: str) -> None:
        super().__init__(NAME, clients)
        self._access = access
        self._topic = topic
        self._availability = f"{topic}/availability"

    async def run(self) -> None:
        broker = Broker(self._access, Message(self._availability, OFFLINE))
        retry = Backoff(_RETRY_S, _MAX_RETRY_S)
        while True:
            try:
                async with broker.connected() as connection:
                    self.recovered()
                    retry.reset()
                    await self._run_session(connection)
            except MqttError as error:
                self.failed(*self._access.nothing_published(error))
            await asyncio.sleep(retry.next_s())

    async def _run_session(self, connection: BrokerConnection) -> None:
        """Raises MqttError when the connection is lost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_until_lost(connection))
                await self._publish(connection)
        except asyncio.CancelledError:
            with suppress(MqttError):
                await connection.publish(Message(self._availability, OFFLINE), timeout_s=GOODBYE_S)
            raise
        except BaseExceptionGroup as errors:
            raise error_of(errors) from None

    async def _publish(self, connection: BrokerConnection) -> None:
        grid, arrived_s, is_online = self.clients.grid, float("-inf"), None
        while True:
            newest = grid.newest()
            if (
                newest
                and newest.arrived_s > arrived_s
                and (reading := self.clients.newest_reading_for(self._access.broker))
            ):
                arrived_s = reading.arrived_s
                expire_s = min(_EXPIRE_S, max(int(grid.stale_after_s - grid.age_s(reading)), 1))
                await connection.publish(Message(self._topic, payload(reading), expire_s), retain=False)
            if is_online is not bool(newest):
                is_online = bool(newest)
                await connection.publish(Message(self._availability, ONLINE if is_online else OFFLINE))
            await grid.newer(arrived_s, _CHECK_S)


async def _until_lost(connection: BrokerConnection) -> None:
    async for _ in connection.messages():
        pass


def payload(reading: GridReading) -> bytes:
    grid: dict[str, object] = {
        **_numbers(
            power=reading.power_w,
            voltage=mean_voltage_v(reading),
            current=total_current_a(reading),
            energy_forward=_kwh(reading.import_wh),
            energy_reverse=_kwh(reading.export_wh),
        )
    }
    for index, power_w in enumerate(reading.phases_w or (reading.power_w,)):
        grid[f"L{index + 1}"] = _numbers(
            power=power_w,
            voltage=reading.voltages_v[index],
            current=reading.currents_a[index],
            frequency=reading.frequency_hz,
        )
    return msgspec.json.encode({"grid": grid})


def _numbers(**values: Decimal | None) -> dict[str, Raw]:
    """Those that are there."""
    return {name: number(value) for name, value in values.items() if value is not None}


def _kwh(energy_wh: Decimal | None) -> Decimal | None:
    return None if energy_wh is None else energy_wh.scaleb(-3)
