"""The whole road from a reader to the central server through a broker that wants a certificate of both."""

from pathlib import Path

import pytest

from fleet.field import Collecting, rows
from history.entries import METER, QUARTER, power, quarter_reading
from history.postgres import Postgres
from iskra_server.history.store.store import Store
from outputs.mqtt.secured import CA, READER, secured
from running import serving, until


def keys(section: str, folder: Path, *names: str) -> dict[str, str]:
    files = {"ca_file": CA, "cert_file": READER}
    return {f"IES_{section}_{name.upper()}": str(folder / files[name]) for name in names}


@pytest.fixture
def reader(tmp_path: Path) -> set[object]:
    """What a reader has recorded before it heard of a central."""
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    store.write([quarter_reading(), quarter_reading(QUARTER + 1, 107_323_191), power()], [METER])
    found: set[object] = set(rows(store, [METER.meter_id]))
    store.close()
    return found


def test_quarters_arrive_through_tls_with_certificates_of_both(
    tmp_path: Path, reader: set[object], central: Store, postgres: Postgres
) -> None:
    with secured(tmp_path) as broker:
        url = f"mqtts://localhost:{broker.port}"
        collector = Collecting(url, postgres.url("postgres"), **keys("COLLECT", tmp_path, "ca_file", "cert_file"))
        uplink = {"IES_UPLINK_URL": url, "IES_UPLINK_READER": "cellar"}
        environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path)} | uplink
        try:
            with serving("serve", "tcp://127.0.0.1:1", environ=environ | keys("UPLINK", tmp_path, "ca_file")) as server:
                until(lambda: "is away" in server.log)
                (output,) = server.get("/api/v1/status").json()["outputs"]
                assert (output["name"], output["ok"]) == ("uplink", False)
            assert rows(central, [METER.meter_id]) == set()
            both = keys("UPLINK", tmp_path, "ca_file", "cert_file")
            with serving("serve", "tcp://127.0.0.1:1", environ=environ | both) as server:
                until(lambda: rows(central, [METER.meter_id]) == reader)
                until(lambda: server.get("/api/v1/status").json()["outputs"][0]["delivered"] == 2)
        finally:
            collector.end()
