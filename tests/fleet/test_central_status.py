"""The status and the metrics of a central server in a process of its own (a healthy one said that it was not)."""

import time

import pytest

from fleet.batches import batch_of
from history.entries import METER, quarter_reading
from history.postgres import Postgres
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.store.store import Store
from running import Server, serving, until
from samples import METER_ID


def heard(store: Store, at_s: float) -> None:
    states = [ReaderState("house-7", int(at_s), True, "", "[]")]
    contacts = [LastContact(METER_ID, "house-7", int(at_s))]
    write_batch(store, batch_of([quarter_reading()], [METER], contacts, states))


def counted(server: Server) -> dict[str, object]:
    """The part of its status about the central server, once it has looked."""

    def look() -> object:
        central = server.get("/api/v1/status").json()["central"]
        return central if central and central["facts"] else None

    central: dict[str, object] = until(look)
    return central


@pytest.fixture
def environ(postgres: Postgres, central: Store) -> dict[str, str]:
    return {"IES_HISTORY_ENABLED": "true", "IES_METERS": "none", "IES_DATABASE_URL": postgres.url("postgres")}


def test_a_healthy_central_server_is_ok_and_knows_its_readers(environ: dict[str, str], central: Store) -> None:
    heard(central, time.time())
    with serving("serve", environ=environ) as server:
        facts = counted(server)["facts"]
        assert isinstance(facts, dict)
        assert (facts["meters"], facts["silent_meters"], facts["readers"], facts["silent_readers"]) == (1, 0, 1, 0)
        assert server.get("/api/v1/status").json()["ok"] is True
        lines = server.get("/metrics").text.splitlines()
        assert {'iskra_fleet_readers{state="heard"} 1', "iskra_fleet_database_up 1"} <= set(lines)


def test_a_silent_reader_makes_it_unhealthy_with_a_sentence(environ: dict[str, str], central: Store) -> None:
    heard(central, time.time() - 3_600)
    with serving("serve", environ=environ) as server:
        problems = counted(server)["problems"]
        assert isinstance(problems, list)
        assert problems[0]["en"]["sentence"] == "Silent readers: 1 of 1; house-7 for the longest time."
        assert server.get("/api/v1/status").json()["ok"] is False
        until(lambda: "Silent readers: 1 of 1" in server.log)
