"""Virtual meters over MQTT: entities of their own, and the energy of today and this month from history."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from iskra_server.base.address import Address
from iskra_server.config import MqttConfig
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store.store import Store
from iskra_server.meter.reading import Sample
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter, virtual_reading
from iskra_server.outputs.mqtt.broker_settings import MqttSettings, mqtt_settings
from iskra_server.outputs.mqtt.catalogue import KnownMeter
from iskra_server.outputs.mqtt.discovery import DiscoveryPayloads
from iskra_server.outputs.mqtt.payloads import numbers_of
from iskra_server.outputs.mqtt.period_energy import PeriodEnergy
from iskra_server.outputs.mqtt.period_totals import PeriodTotals
from iskra_server.outputs.mqtt.topics import Topics
from samples import EXPORT, METER_ID, power, reading
from web.past import counted, info

SECOND = "1 ISK 00 70000002"
PUMP = VirtualMeter("Heat pump", (MeterPart(METER_ID, 1), MeterPart(SECOND, -1)))


def at(text: str) -> Sample:
    """A sample at a time of 2026-11-29 or 30, in UTC."""
    moment = datetime.fromisoformat(f"2026-11-{text}:00").replace(tzinfo=UTC)
    content = virtual_reading(PUMP, [reading(power(1000)), reading(power(400))])
    assert content
    return Sample(content, moment, moment.timestamp(), simulated=False, source="virtual")


class Pump:
    """A heat pump that buys 100 Wh in each quarter-hour, and uses 20 Wh of own solar power."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder}/history.sqlite")
        self.store.virtual = lambda: [PUMP]
        self.energy = PeriodEnergy(ZoneInfo("UTC"), lambda: self.store)
        self._next = quarter_of(at("29T20:00").received_at.timestamp())

    def record(self, until: str) -> None:
        """Readings from the last one on."""
        end = quarter_of(at(until).received_at.timestamp()) + 1
        for meter_id, imported, exported in ((METER_ID, 1500, 0), (SECOND, 500, 200)):
            quarters = range(self._next, end)
            self.store.write(
                [
                    *counted([imported * quarter % 10**9 for quarter in quarters], first=self._next, meter_id=meter_id),
                    *counted(
                        [exported * quarter for quarter in quarters], first=self._next, obis=EXPORT, meter_id=meter_id
                    ),
                ],
                [info(meter_id, self._next)],
            )
        self._next = end

    def observe(self, moment: str) -> list[PeriodTotals]:
        """What is published with a sample, after history was read if that is due."""
        sample = at(moment)
        ended = self.energy.observe(sample)
        now = self.energy.totals(sample.reading)
        asyncio.run(self.energy.read_missing())
        return [*ended, *([now] if now else [])]


def kwh(totals: PeriodTotals) -> tuple[int, dict[str, str]]:
    """The day, and its energies."""
    return totals.span.today.day, {name: str(value) for name, value in totals.energy_kwh.items()}


def test_energy_of_a_difference_comes_from_history_and_a_day_is_completed(tmp_path: Path) -> None:
    pump = Pump(tmp_path)
    pump.record("29T23:30")
    assert [kwh(one) for one in pump.observe("29T23:40")] == [(29, {})]
    (now,) = pump.observe("29T23:41")
    assert kwh(now)[1]["energy_import_today"] == "1.4000"
    assert kwh(now)[1]["energy_export_today"] == "-0.2800"
    # the next quarter-hour
    pump.record("29T23:45")
    pump.observe("29T23:46")
    assert kwh(pump.observe("29T23:47")[0])[1]["energy_import_today"] == "1.5000"
    # the new day has no totals before the old one is complete
    assert pump.observe("30T00:01") == []
    pump.record("30T00:00")
    assert pump.observe("30T00:02") == []
    complete, now = pump.observe("30T00:03")
    assert (kwh(complete)[0], kwh(complete)[1]["energy_import_today"]) == (29, "1.6000")
    assert (kwh(now)[0], kwh(now)[1]["energy_import_today"]) == (30, "0.0000")
    assert kwh(now)[1]["energy_import_month"] == "1.6000"
    assert [kwh(one)[0] for one in pump.observe("30T00:04")] == [30]
    pump.store.close()


def discovered(meter: KnownMeter, settings: MqttSettings) -> dict[str, Any]:
    """The announced entities by their key."""
    topics = Topics("iskra-server", "homeassistant")
    payloads = DiscoveryPayloads(topics=topics, language="en", version="1", has_history=True)
    return {topic.split("/")[-2]: json.loads(body) for topic, body in meter.discovery(payloads, settings).items()}


def test_it_is_a_device_with_power_and_periods_and_without_a_diagnosis() -> None:
    settings = mqtt_settings(MqttConfig(url=Address("mqtt://broker")))
    meter = KnownMeter(sample := at("29T12:00"), "Heat pump")
    meter.update(sample, numbers_of(sample.reading), 3.0)
    entities = discovered(meter, settings)
    assert "energy_import_today" not in entities
    assert meter.add_periods({"energy_import_today": Decimal("1.4000"), "energy_import_month": Decimal("1.4")})
    assert not meter.add_periods({"energy_import_today": Decimal("1.5000")})
    entities = discovered(meter, settings)
    assert {"power", "energy_import_today", "energy_import_month"} <= entities.keys()
    assert not entities.keys() & {"energy_import", "signal_quality", "locked", "problem", "fault"}
    today = entities["energy_import_today"]
    assert (today["state_class"], today["device"]["name"]) == ("total", "Heat pump")
