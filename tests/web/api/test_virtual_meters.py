"""Virtual meters over HTTP: found like any other meter, with a reason where they have no reading."""

import json
from typing import Any
from urllib.parse import quote

from msgspec import structs

from iskra_server.base.clock import boottime_s
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from iskra_server.reading.hub import Hub
from iskra_server.reading.virtual_readings import VirtualReadings
from samples import power, sample
from web.serving import Site, status

FIRST, SECOND = "1 ISK 00 12345678", "1 ISK 00 10000002"
PUMP = VirtualMeter("Heat pump", (MeterPart(FIRST, 1), MeterPart(SECOND, -1)))


class Pump:
    """A site with a virtual meter, whose parts have sent these powers."""

    def __init__(self, **watts: int) -> None:
        self._hub = Hub()
        self._readings = VirtualReadings(self._hub, lambda: [PUMP])
        self.site = Site(hub=self._hub, virtual_states=self._readings.states)
        for meter_id, name in ((FIRST, "first"), (SECOND, "second")):
            if name in watts:
                content = sample(power(watts[name]), meter_id=meter_id)
                self._hub.publish(structs.replace(content, monotonic_s=boottime_s()))
                self._readings.observe(meter_id)

    def get(self, path: str) -> Any:
        return self.site.get(path).json()


def test_it_is_listed_and_found_by_its_name() -> None:
    pump = Pump(first=1000, second=400)
    assert [meter["id"] for meter in pump.get("/api/v1/meters")["meters"]] == [FIRST, SECOND, "Heat pump"]
    for name in ("Heat pump", "heatpump"):
        meter = pump.get(f"/api/v1/meters/{quote(name)}")
        assert (meter["protocol"], meter["source"], meter["stale_after_s"]) == ("virtual", "virtual", 3)
        assert [(one["name"], one["value"], one["derived"]) for one in meter["registers"]] == [
            ("power", 600, "virtual meter")
        ]


def test_without_a_part_it_is_listed_and_says_why() -> None:
    pump = Pump(first=1000)
    listed = pump.get("/api/v1/meters")["meters"][-1]
    assert (listed["id"], listed["fresh"], listed["registers"]) == ("Heat pump", False, [])
    answer = pump.site.get("/api/v1/meters/Heat%20pump")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith(f"No meter {SECOND} is being read.")


def test_the_status_names_its_parts() -> None:
    pump = Pump(first=1000)
    (state,) = pump.get("/api/v1/status")["virtual"]
    assert (state["id"], state["ok"], state["advice"]["fault"]) == ("Heat pump", False, "part_unknown")
    assert [(part["name"], part["counts"], part["meter"]) for part in state["parts"]] == [
        (FIRST, "plus", FIRST),
        (SECOND, "minus", None),
    ]


def test_it_does_not_count_for_the_state_of_the_sources() -> None:
    pump = Pump(first=1000)
    pump.site.statuses = [status()]
    assert pump.get("/api/v1/status")["ok"] is True


def test_the_page_without_javascript_says_why() -> None:
    shown = Pump(first=1000).site.get("/").text
    assert "<h2>Heat pump</h2>" in shown
    assert f"No meter {SECOND} is being read." in shown


def test_it_is_not_added_to_its_parts() -> None:
    pump = Pump(first=1000, second=400)
    answer = pump.site.get(f"/api/v1/sum?meters=Heat pump,{SECOND}")
    assert answer.status_code == 400
    assert f"eter {SECOND} would count twice" in answer.json()["detail"]


def test_the_page_without_javascript_misses_no_total_of_a_difference() -> None:
    shown = Pump(first=1000, second=400).site.get("/").text
    (card,) = [part for part in shown.split("<section") if "<h2>Heat pump</h2>" in part]
    assert "600" in card
    assert "1.8.0" not in card


def test_metrics_have_its_power() -> None:
    lines = Pump(first=400, second=1000).site.get("/metrics").text
    assert 'iskra_power_watts{meter="Heat pump",obis="1-0:16.7.0",name="power"} -600' in lines


def test_the_live_stream_begins_with_it() -> None:
    pump = Pump(first=1000, second=400)
    events = pump.site.get("/api/v1/live?brief=yes").text
    shown = [json.loads(line[6:]) for line in events.splitlines() if line.startswith("data: ")]
    assert shown[2]["id"] == "Heat pump"
    assert shown[-1]["virtual"][0]["ok"] is True
