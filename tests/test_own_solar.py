"""A household with a solar roof, end to end: its two simulated meters, two days of history, and the whole server."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import httpx
import pytest

from iskra_server.simulator.household import Household
from running import Server, fetch, free_port, until
from solar_household import FIRST, HOUSE, ROOF, solar_server

DAY = "from=2026-06-20T22:00:00Z&to=2026-06-21T22:00:00Z"
MWS_PER_WH = 3_600_000
PORT = free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    emulation = {"IES_ECOTRACKER_ENABLED": "true", "IES_ECOTRACKER_PORT": str(PORT), "IES_EMULATION_HOST": "127.0.0.1"}
    with solar_server(tmp_path_factory.mktemp("solar"), **emulation) as running:
        yield running


def test_the_flows_of_now_agree(server: Server) -> None:
    flows = server.get("/api/v1/solar").json()
    assert (flows["grid"]["meter"], flows["production"][0]["meter"], flows["simulated"]) == (HOUSE, ROOF, True)
    # at noon in June
    assert flows["production_w"] > 300 and flows["consumption_w"] > 50
    assert flows["consumption_w"] == flows["production_w"] + flows["grid_w"]
    assert flows["self_consumption_w"] == min(flows["production_w"], flows["consumption_w"])


def test_every_quarter_of_a_day_is_what_the_household_did(server: Server) -> None:
    answer = server.get(f"/api/v1/solar/energy?{DAY}&bucket=15min").json()
    assert len(answer["buckets"]) == answer["total"]["counted_quarters"] == answer["total"]["quarters"] == 96
    start = int(FIRST.timestamp())
    roof, without = Household(1, 5000, start, is_plant=True), Household(1, 0, start)
    for bucket in answer["buckets"]:
        begin, end = (int(datetime.fromisoformat(bucket[edge]).timestamp()) for edge in ("begin", "end"))
        produced = (roof.at(end).export_mws - roof.at(begin).export_mws) / MWS_PER_WH
        used = (without.at(end).import_mws - without.at(begin).import_mws) / MWS_PER_WH
        assert bucket["production_wh"] == pytest.approx(produced, abs=0.2)
        # the flicker of three meters, and two edges of each
        assert bucket["consumption_wh"] == pytest.approx(used, abs=1.5)
        sums = {name: Decimal(str(value)) for name, value in bucket.items() if name.endswith("_wh")}
        assert sums["production_wh"] == sums["self_consumption_wh"] + sums["export_wh"]
        assert sums["consumption_wh"] == sums["import_wh"] + sums["self_consumption_wh"]
    day = server.get(f"/api/v1/solar/energy?{DAY}&bucket=day").json()["buckets"][0]
    assert 0.1 < day["self_consumption_rate"] < 0.9 and 0.3 < day["self_sufficiency"] < 1
    assert day["self_consumption_rate"] == round(day["self_consumption_wh"] / day["production_wh"], 4)


def test_the_meter_at_the_grid_is_the_first_one(server: Server) -> None:
    total = server.get("/api/electricity/cumulated").json()
    named = server.get("/api/electricity/cumulated?meter=1ISK0010000001").json()
    assert 0 <= Decimal(str(named["value"])) - Decimal(str(total["value"])) < 1
    statuses = server.get("/api/v1/status").json()["meters"]
    assert [(one["meter_id"], one["facts"]["role"]) for one in statuses] == [(HOUSE, "grid"), (ROOF, "production")]
    assert [meter["id"] for meter in server.get("/api/v1/meters").json()["meters"]] == [HOUSE, ROOF]


def test_only_the_meter_at_the_grid_has_the_contract(server: Server) -> None:
    costs = [server.get(f"/api/v1/meters/1ISK00{serial}/cost?{DAY}").json() for serial in (10000001, 20000001)]
    assert ["contract" in cost for cost in costs] == [True, False]


def test_a_battery_follows_the_meter_at_the_grid(server: Server) -> None:
    def tracked() -> httpx.Response:
        return fetch(f"http://127.0.0.1:{PORT}/v1/json")

    answer = until(lambda: answer if (answer := tracked()).is_success else None)
    house, roof = (
        {register["name"]: register["value"] for register in meter["registers"]}
        for meter in server.get("/api/v1/meters").json()["meters"]
    )
    shown = answer.json()["energyCounterOut"]
    assert abs(shown - house["energy_export"]) < 50 < abs(shown - roof["energy_export"])
