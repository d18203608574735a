"""The age of a reading counts from the moment since when its telegram may have waited to be read, in every answer."""

import asyncio
import json
import re
import time
from datetime import UTC, datetime

import pytest

import telegrams
from emulating import running
from iskra_server.base import pauses
from iskra_server.base.clock import boottime_s
from iskra_server.base.pauses import PauseDetector
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.diagnosis.status import run_checks
from iskra_server.meter.guard import Guard
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from iskra_server.outputs.emulation.grid import Grid
from iskra_server.outputs.mqtt.payloads import diagnostics
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.reading.virtual_readings import VirtualReadings
from iskra_server.sources.source import Chunk, timestamped
from reading.given import Given
from samples import METER_ID
from web.serving import Site

STALLED_S = 0.2
VIRTUAL = VirtualMeter("Flat", (MeterPart("cellar", 1, METER_ID, "port"),))


def reader(hub: Hub, detector: PauseDetector) -> Reader:
    return Reader(source=Given(), decoder=SmlDecoder(), guard=Guard(), hub=hub, pauses=detector)


def stalled(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """It has read a telegram right after the event loop stood still for STALLED_S."""
    monkeypatch.setattr(pauses, "BEAT_S", 0.01)
    monkeypatch.setattr(pauses, "STALL_S", STALLED_S / 2)
    detector = PauseDetector()
    made = reader(hub, detector)

    async def stall() -> None:
        async with running(detector.run()):
            time.sleep(STALLED_S)  # noqa: ASYNC251
            made.process(timestamped(telegrams.telegram(telegrams.meter_entries())))

    asyncio.run(stall())
    return made


def test_every_answer_has_the_time_that_the_event_loop_stood_still(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    made = stalled(hub, monkeypatch)
    VirtualReadings(hub, lambda: [VIRTUAL]).observe(METER_ID)
    site, grid = Site(hub=hub), Grid(hub, lambda: METER_ID, 10.0)
    status, shown = run_checks(made.facts()), grid.newest()
    assert shown
    meters = {meter["id"]: meter for meter in site.get("/api/v1/meters").json()["meters"]}
    live = re.findall(r"^data: (.*measured_age_s.*)$", site.get("/api/v1/live?brief=yes").text, re.MULTILINE)
    ages_s = {
        "status": status.facts.age_s,
        "MQTT": diagnostics(METER_ID, status, problem=None, language="en").age_s,
        "device": grid.age_s(shown),
        **{f"meter {name}": meter["age_s"] for name, meter in meters.items()},
        **{f"event {event['id']}": event["measured_age_s"] for event in map(json.loads, live)},
        **dict(re.findall(r"^iskra_meter_age_seconds(.*) (\S+)$", site.get("/metrics").text, re.MULTILINE)),
    }
    assert len(ages_s) == 9
    assert {name: age_s for name, age_s in ages_s.items() if float(age_s or 0) < STALLED_S} == {}


def test_a_telegram_that_may_be_stale_already_is_in_no_answer() -> None:
    detector, hub = PauseDetector(), Hub(stale_after_s=2.5)
    made = reader(hub, detector)
    detector.beat(boottime_s() - 3.0)
    made.process(timestamped(telegrams.telegram(telegrams.meter_entries())))
    site = Site(hub=hub)
    assert [site.get(path).status_code for path in ("/api/electricity/cumulated", f"/api/v1/meters/{METER_ID}")] == [
        503
    ] * 2
    assert "event: reading" not in site.get("/api/v1/live?brief=yes").text
    assert not run_checks(made.facts()).ok
    assert Grid(hub, lambda: METER_ID, 10.0).newest() is None


def test_it_does_not_count_into_the_recorded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hub, began_s, began_at = Hub(), boottime_s(), datetime.now(UTC)
    stalled(hub, monkeypatch)
    sample = hub.newest[METER_ID]
    assert sample.is_dated and sample.monotonic_s >= began_s + STALLED_S
    assert sample.waited_s >= STALLED_S
    assert (sample.received_at - began_at).total_seconds() >= STALLED_S - 0.01


def test_on_a_busy_machine_no_reading_is_missing() -> None:
    """The event loop stands still for 0.7 s again and again; a telegram comes every second."""
    detector, hub, beats_s, oldest_s = PauseDetector(), Hub(10.0), 0.7, 0.0
    made = reader(hub, detector)
    for tenth in range(600):
        now_s = 1000 + tenth / 10
        if tenth % 7 == 0:
            detector.beat(now_s)
        if tenth % 10 == 0:
            data = telegrams.telegram(telegrams.meter_entries(energy=100 + tenth), seconds=1000 + tenth // 10)
            made.process(Chunk(data, datetime.fromtimestamp(now_s, UTC), now_s))
        assert hub.is_fresh(METER_ID, now_s)
        oldest_s = max(oldest_s, hub.age_s(METER_ID, now_s) or 0.0)
    # the interval, three stalls in a row, and the time to read afterwards
    assert 1.0 + beats_s < oldest_s <= 1.0 + 3 * beats_s + pauses.STALL_S
