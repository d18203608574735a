"""The history of a heat pump between two meters: the same answers as of any other meter.

quarter          0     1     2     3
Z1 import      500   800     0  (gap)     Wh
Z1 export        0     0   100
Z2 import      300   200     0
Z2 export        0     0   400
heat pump      200   600   300
"""

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from iskra_server.cost.contracts import Contract
from iskra_server.history.store.store import Store
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from samples import EXPORT, METER_ID
from web.past import Q, counted, info, telegrams
from web.serving import Site

SECOND = "1 ISK 00 70000002"
PUMP = VirtualMeter("Heat pump", (MeterPart(METER_ID, 1), MeterPart("700 000 02", -1, SECOND, "port")))
ALL = "?from=2025-06-02T10:00:00Z&to=2025-06-02T11:00:00Z"


def sums(energies_wh: Iterable[int | None]) -> list[int | None]:
    """A counter in 0.1 Wh with these energies."""
    shown: list[int | None] = [0]
    total = 0
    for energy in energies_wh:
        total += 10 * (energy or 0)
        shown.append(None if energy is None else total)
    return shown


@pytest.fixture
def pump(store: Store) -> Store:
    store.write(
        [*counted(sums([500, 800, 0, 900])), *counted(sums([0, 0, 100, 0]), obis=EXPORT)],
        [info()],
    )
    second = [
        *counted(sums([300, 200, 0, None]), meter_id=SECOND),
        *counted(sums([0, 0, 400, None]), obis=EXPORT, meter_id=SECOND),
    ]
    store.write(second, [info(SECOND)])
    store.virtual = lambda: [PUMP]
    return store


def asked(store: Store, path: str, **settings: Any) -> Any:
    answer = Site(history=store, **settings).get(f"/api/v1/meters/{path}")
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


def test_energy_by_quarter_is_import_and_an_export_below_0(pump: Store) -> None:
    energy = asked(pump, f"heatpump/energy{ALL}&bucket=15min")
    assert energy["meter"] == "Heat pump"
    assert [(bucket["import_wh"], bucket["export_wh"]) for bucket in energy["buckets"][:3]] == [
        (200, 0),
        (600, 0),
        (0, -300),
    ]
    # Z2 has no reading at the end
    assert "import_wh" not in energy["buckets"][3]
    assert (energy["import"]["total_wh"], energy["export"]["total_wh"]) == (800, -300)


def test_quarters_counters_and_registers(pump: Store) -> None:
    quarters = asked(pump, f"Heat pump/quarters{ALL}")
    assert quarters["import_wh"] == [200, 600, 0, None]
    assert quarters["export_wh"] == [0, 0, -300, None]
    counters = asked(pump, f"Heat pump/counters{ALL}")
    assert counters["counters"][0]["shown_wh"] == [0, 200, 800, 800, None]
    assert counters["power"]["mean_w"] == [800, 2400, 1200, None]
    values = asked(pump, "Heat pump/registers?at=2025-06-02T12:00:00Z")["values"]
    assert [(value["name"], value["register_wh"]) for value in values] == [
        ("energy_import", 800),
        ("energy_export", -300),
    ]


def test_power_is_made_of_the_telegrams_of_its_parts(pump: Store) -> None:
    for meter_id, watts in ((METER_ID, 1000), (SECOND, 400)):
        minutes = ((Q * 900 + 60 * minute, [watts + minute] * 60) for minute in range(45))
        pump.write([replace(telegrams(*minute), meter_id=meter_id) for minute in minutes])
    day = asked(pump, "Heat pump/power?from=2025-06-02T10:00:00Z&to=2025-06-02T10:45:00Z")
    assert (day["source"], len(day["points"])) == ("telegrams", 900)
    assert {(point["min_w"], point["max_w"]) for point in day["points"]} == {(600, 600)}
    # without telegrams, the mean by energy
    for meter_id, energy in ((METER_ID, 10_000), (SECOND, 1000)):
        pump.write(counted([20_000, 20_000 + energy], first=Q + 200, meter_id=meter_id))
        pump.write(counted([9000, 9000], first=Q + 200, obis=EXPORT, meter_id=meter_id))
    late = asked(pump, "Heat pump/power?from=2025-06-04T12:00:00Z&to=2025-06-04T12:15:00Z")
    assert (late["source"], [point["mean_w"] for point in late["points"]]) == ("quarters", [3600])


def test_a_contract_counts_what_was_bought_for_the_heat_pump(pump: Store) -> None:
    heat = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.25"), feed_in=Decimal("0.08"), meter="heatpump")
    house = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.40"), meter="1isk0012345678")
    total = asked(pump, "Heat pump/cost?from=2025-06-02&to=2025-06-02", contracts=(heat, house))["total"]
    # own solar that the pump has used was not paid
    assert (total["import_amount"], total["export_amount"]) == (Decimal("0.2"), Decimal("-0.024"))
    assert total["total_amount"] == Decimal("0.224")


def test_history_lists_it(pump: Store) -> None:
    listed = json.loads(Site(history=pump).get("/api/v1/history/meters").content)["meters"]
    assert [meter["id"] for meter in listed] == [METER_ID, SECOND, "Heat pump"]


def test_it_is_not_added_to_its_parts(pump: Store) -> None:
    answer = Site(history=pump).get(f"/api/v1/sum/energy{ALL}&meters=Heat pump,1ISK0070000002")
    assert answer.status_code == 400
    assert "eter 1 ISK 00 70000002 would count twice" in answer.json()["detail"]
