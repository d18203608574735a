"""A heat pump between two meters of a cascade, read by a real server; then one falls silent."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import telegrams
from history.entries import quarter_reading
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import Head, Server, fetch, free_port, serving, until

NUMBERS = ("1 ISK 00 20000001", "1 ISK 00 20000002")
SERVER_IDS = tuple(bytes.fromhex("090149534b00") + int(number[-8:]).to_bytes(4) for number in NUMBERS)
METERS = "/api/v1/meters"
TOPIC = f"iskra-server/{b'Heat pump'.hex()}"
CONFIG = """
[history]
enabled = true
data_dir = "{folder}"

[[meters]]
url = "{first}"
name = "Z1"

[[meters]]
url = "{second}"
name = "Z2"

[[virtual]]
name = "Heat pump"
plus = ["Z1"]
minus = ["Z2"]

[[contracts]]
begins = 2025-01-01
name = "Heat"
meter = "Heat pump"
energy_price = 0.25

[outputs.emulation]
meter = "Heat pump"
host = "127.0.0.1"

[outputs.ecotracker]
enabled = true
port = {face}

[outputs.mqtt]
url = "mqtt://127.0.0.1:{port}"
"""


class Meter:
    """A head with a meter that sends its power five times a second until it is told to be silent."""

    def __init__(self, head: Head, server_id: bytes, watts: int) -> None:
        self.head, self.watts = head, watts
        self.is_silent, self._ended = threading.Event(), threading.Event()
        self._server_id = server_id
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self.head.unplug()

    def _send(self) -> None:
        seconds = 1000
        while not self._ended.wait(0.2):
            seconds += 1
            if not self.is_silent.is_set():
                entries = telegrams.meter_entries(energy=1_010_000 + seconds // 100, power=self.watts)
                self.head.send(telegrams.telegram(entries, seconds=seconds, server_id=self._server_id))


class Cellar:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        heads = [Head(folder / name) for name in ("first", "second")]
        self.first, self.second = (
            Meter(head, server_id, watts) for head, server_id, watts in zip(heads, SERVER_IDS, (1000, 400), strict=True)
        )
        stack.callback(self.first.end)
        stack.callback(self.second.end)
        broker = Mosquitto(folder).start()
        stack.callback(broker.kill)
        self.quarter = int(time.time()) // 900 - 8
        write_history(folder / "data", self.quarter)
        file = folder / "iskra-server.toml"
        self.face = f"http://127.0.0.1:{(face := free_port())}/v1/json"
        links = {"first": heads[0].link, "second": heads[1].link}
        file.write_text(CONFIG.format(folder=folder / "data", port=broker.port, face=face, **links))
        self.network = stack.enter_context(Subscriber(broker.port))
        self.server: Server = stack.enter_context(
            serving("serve", "--config", str(file), environ={"IES_HISTORY_ENABLED": "true", "TZ": "UTC"})
        )

    def state(self) -> Any:
        return self.server.get("/api/v1/status").json()["virtual"][0]

    def published(self, topic: str) -> Any:
        payload = self.network.now.get(f"{TOPIC}/{topic}", b"null")
        return payload.decode() if topic == "availability" else json.loads(payload)


def write_history(folder: Path, quarter: int) -> None:
    """Four quarters, in which Z1 counted 200 Wh each and Z2 50 Wh."""
    store = Store(f"sqlite:///{folder}/iskra.sqlite")
    for number, server_id, raw in zip(NUMBERS, SERVER_IDS, (2000, 500), strict=True):
        at_s = quarter * 900
        info = MeterInfo(number, server_id.hex(), simulated=False, first_s=at_s, last_s=at_s + 3600)
        store.write([quarter_reading(quarter + at, 1_000_000 + raw * at, meter=info) for at in range(5)], [info])
    store.close()


@pytest.fixture(scope="module")
def cellar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cellar]:
    with ExitStack() as stack:
        made = Cellar(tmp_path_factory.mktemp("cellar"), stack)
        until(lambda: made.state()["ok"])
        until(lambda: made.server.get("/api/v1/history/meters").status_code == 200)
        yield made


def test_its_power_is_the_difference_everywhere(cellar: Cellar) -> None:
    # on a busy machine a part may be late: then there is no power for a moment
    meter = until(lambda: answer.json() if (answer := cellar.server.get(f"{METERS}/Heat%20pump")).is_success else None)
    assert [(register["name"], register["value"]) for register in meter["registers"]] == [("power", 600)]
    assert meter["age_s"] < 3
    state = until(lambda: state if "power" in (state := cellar.published("state") or {}) else None)
    assert (state["id"], state["power"], state["fresh"], state["simulated"]) == ("Heat pump", 600, True, False)
    until(lambda: cellar.published("availability") == "online")
    # a battery follows it
    shown = until(lambda: answer if (answer := fetch(cellar.face)).is_success else None)
    assert shown.json()["power"] == 600
    line = 'iskra_power_watts{meter="Heat pump",obis="1-0:16.7.0",name="power"} 600'
    until(lambda: line in cellar.server.get("/metrics").text)


def test_it_has_the_history_of_its_meters_and_its_own_contract(cellar: Cellar) -> None:
    begin, end = (
        f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at * 900))}" for at in (cellar.quarter, cellar.quarter + 4)
    )
    period = f"from={begin}&to={end}&bucket=15min"
    energy = cellar.server.get(f"/api/v1/meters/Heat%20pump/energy?{period}").json()
    assert [bucket["import_wh"] for bucket in energy["buckets"]] == [150] * 4
    cost = cellar.server.get(f"/api/v1/meters/Heat%20pump/cost?{period}").json()
    assert (cost["contract"]["name"], cost["total"]["import_amount"]) == ("Heat", 0.15)
    assert "Heat pump" in [meter["id"] for meter in cellar.server.get("/api/v1/history/meters").json()["meters"]]


@pytest.mark.slow
def test_without_one_meter_it_is_absent_after_three_seconds_and_comes_back(cellar: Cellar) -> None:
    cellar.second.is_silent.set()
    answer = until(
        lambda: gone if (gone := cellar.server.get("/api/v1/meters/Heat%20pump")).status_code == 503 else None
    )
    assert answer.json()["detail"].startswith("Meter Z2 has sent nothing for more than 3 s.")
    until(lambda: cellar.published("availability") == "offline")
    assert "power" not in cellar.published("state")
    with pytest.raises(httpx.HTTPError):
        fetch(cellar.face, timeout=2).raise_for_status()
    # the other one goes on
    assert cellar.server.get("/api/v1/meters/1ISK0020000001").status_code == 200
    cellar.second.watts = 1250
    cellar.second.is_silent.clear()
    until(lambda: cellar.published("state").get("power") == -250)
    assert cellar.server.get("/api/v1/meters/Heat%20pump").json()["registers"][0]["value"] == -250
    cellar.second.watts = 400


def test_nothing_of_it_is_stored(cellar: Cellar) -> None:
    assert "Heat pump" not in cellar.server.log
    file = next(Path(cellar.first.head.link).parent.glob("data/iskra.sqlite"))
    store = Store(f"sqlite:///{file}")
    assert [info.meter_id for info in store.meters()] == list(NUMBERS)
    store.close()
