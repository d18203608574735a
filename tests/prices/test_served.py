"""A server with a contract that follows the exchange, a stand-in for its sources and a real broker, from end to end."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

import pricing
from iskra_server.history.model.spot_price import MARKET, delivery_day
from outputs.mqtt.broker import Mosquitto, Subscriber
from pricing import DAY as ONE
from pricing import StandIn, stand_in
from running import Server, serving, until, wait_over_midnight

DOCS = Path(__file__).parents[2] / "docs"
CONTRACT = """
[server]
time_zone = "Europe/Berlin"
[[contracts]]
begins = 2020-01-01
name = "Dynamic"
vat_percent = 19
feed_in = 0.0778
[contracts.energy]
kind = "spot"
zone = "DE-LU"
fixed = 0.0215
"""


@contextmanager
def priced_server(folder: Path, source: StandIn, broker: Mosquitto) -> Iterator[Server]:
    (folder / "iskra-server.toml").write_text(CONTRACT)
    environ = {
        "IES_CONFIG": str(folder / "iskra-server.toml"),
        "IES_HISTORY_ENABLED": "true",
        "IES_DATA_DIR": str(folder / "data"),
        "IES_MQTT_URL": broker.url,
        **source.settings,
    }
    with serving("serve", "simulator:MT175", environ=environ) as server:
        yield server


def gross(quarter: int) -> Decimal:
    return (pricing.price_of(quarter).scaleb(-3) + Decimal("0.0215")) * Decimal("1.19")


def exact(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


def test_prices_reach_the_api_the_feed_and_the_broker(tmp_path: Path) -> None:
    with ExitStack() as stack:
        source = stack.enter_context(stand_in())
        broker = Mosquitto(tmp_path).start()
        stack.callback(broker.kill)
        wait_over_midnight(MARKET)
        today = delivery_day(time.time())
        source.prices = pricing.priced(today, today + ONE)
        server = stack.enter_context(priced_server(tmp_path, source, broker))
        until(lambda: server.cumulated().status_code == 200)
        (meter,) = server.get("/api/v1/meters").json()["meters"]
        path = f"/api/v1/meters/{meter['id'].replace(' ', '')}"
        until(lambda: server.get(f"{path}/prices").json().get("known_until"))

        first = min(source.prices)
        answer = exact(server.get(f"{path}/prices"))
        assert answer["import_amount"] == [gross(quarter) for quarter in sorted(source.prices)]
        assert set(answer["export_amount"]) == {Decimal("0.0778")}
        assert datetime.fromisoformat(answer["begin"]).timestamp() == first * 900
        assert answer["origins"][0]["licence"].startswith("CC BY 4.0")
        # the first requests were for today, by zone and period alone
        assert source.requests[0].startswith("/energy-charts/price?bzn=DE-LU&start=")
        assert not any(meter["id"].split()[-1] in request for request in source.requests)

        grid = evcc_tariff("grid")
        rates = exact(server.get(grid["uri"].partition(":18080")[2].replace("METER", meter["server_id"])))
        assert [rate["value"] for rate in rates] == answer["import_amount"]
        assert grid["source"] == "http"
        feed_in = evcc_tariff("feedin")["uri"].partition(":18080")[2].replace("METER", meter["server_id"])
        assert {rate["value"] for rate in exact(server.get(feed_in))} == {Decimal("0.0778")}

        with Subscriber(broker.port) as heard:
            base = f"iskra-server/{meter['server_id']}"
            until(lambda: "price_import" in (heard.json(f"{base}/cost") or {}))
            until(lambda: (heard.json(f"{base}/prices") or {}).get("rates"))
            message = heard.json(f"{base}/prices")
            quarter = int(datetime.fromisoformat(message["rates"][0]["start"]).timestamp()) // 900
            assert message["rates"][0]["value"] == pytest.approx(float(gross(quarter)), abs=1e-6)
            config = until(lambda: heard.json(f"homeassistant/sensor/{meter['server_id']}/cheapest_2h/config"))
            assert (config["device_class"], config["state_topic"]) == ("timestamp", f"{base}/prices")


def test_missing_prices_are_a_notice_and_the_server_works_without_them(tmp_path: Path) -> None:
    with ExitStack() as stack:
        source = stack.enter_context(stand_in())
        broker = Mosquitto(tmp_path).start()
        stack.callback(broker.kill)
        source.fault = "500"
        wait_over_midnight(MARKET)
        server = stack.enter_context(priced_server(tmp_path, source, broker))
        until(lambda: server.cumulated().status_code == 200)

        def notices() -> dict[str, str]:
            return {notice["fault"]: notice["de"]["sentence"] for notice in server.status()["notices"]}

        until(lambda: "prices_missing" in notices())
        midnight = datetime.now(MARKET).strftime("%Y-%m-%d 00:00 %Z")
        assert notices()["prices_missing"].startswith(f"Ab {midnight} fehlen die Börsenstrompreise für DE-LU: ")
        assert server.status()["ok"]
        (meter,) = server.get("/api/v1/meters").json()["meters"]
        answer = server.get(f"/api/v1/meters/{meter['server_id']}/prices").json()
        assert set(answer["import_amount"]) == {None} and answer["cheapest"] == []
        assert server.get(f"/api/v1/meters/{meter['server_id']}/evcc").json() == []
        assert server.log.count("Spot prices of DE-LU are missing from") == 1


def evcc_tariff(name: str) -> dict[str, str]:
    """As the recipe has it."""
    block = (DOCS / "recipes.md").read_text().partition("## Prices for evcc")[2].partition("```yaml\n")[2]
    tariff: dict[str, str] = yaml.safe_load(block.partition("```")[0])["tariffs"][name]["forecast"]
    return tariff
