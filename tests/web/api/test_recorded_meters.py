"""GET /api/v1/history/meters: what can be opened without a head."""

from datetime import UTC, datetime
from typing import Any

from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.store import Store
from samples import METER_ID
from web.past import INFO, Q, counted, info
from web.serving import Site, arrived

OTHER = "1 ISK 00 70000001"


def listed(site: Site) -> list[dict[str, Any]]:
    answer = site.get("/api/v1/history/meters")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["meters"]
    return found


def moment(quarter: int) -> str:
    return f"{datetime.fromtimestamp(quarter * 900, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def test_every_meter_of_the_history_is_listed_the_last_seen_first(store: Store) -> None:
    later = MeterInfo(OTHER, "", False, Q * 900, (Q + 8) * 900)
    store.write(counted([1000, 1001]), [INFO, later])
    assert listed(Site(arrived(), history=store)) == [
        {"id": OTHER, "server_id": None, "simulated": False, "recorded_from": moment(Q),
         "recorded_until": moment(Q + 8)},
        {"id": METER_ID, "server_id": INFO.server_id, "simulated": False, "recorded_from": moment(Q),
         "recorded_until": moment(Q)},
    ]  # fmt: skip


def test_a_replaced_meter_is_part_of_its_successor(store: Store) -> None:
    store.write(counted([1000]), [INFO, info(OTHER, Q + 9)])
    store.replace_meter(METER_ID, OTHER)
    assert [(meter["id"], meter["recorded_from"]) for meter in listed(Site(history=store))] == [(OTHER, moment(Q))]


def test_a_parameter_is_refused(store: Store) -> None:
    answer = Site(history=store).get("/api/v1/history/meters?from=today")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "'from' is not a parameter here; there is none."
