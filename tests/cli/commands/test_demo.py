"""`demo` is `serve` with a simulated meter; that it serves is shown in test_serve.py."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from command import Run
from iskra_server.cli.commands.demo import contract
from iskra_server.cost.from_config import contracts_from_config
from running import serving, until


def test_demo_names_its_limits(run: Run) -> None:
    done = run("demo", "--rate", "0")
    assert done.returncode == 2
    assert "--rate" in done.stderr


@pytest.mark.parametrize(
    ("profile", "protocol"),
    [
        ("MT171", "d0"),
        pytest.param("MT174", "d0", marks=pytest.mark.slow),
        pytest.param("M550", "p1", marks=pytest.mark.slow),
        pytest.param("AM550-KELAG", "dlms", marks=pytest.mark.slow),
        pytest.param("AM550-CH-encrypted", "dlms", marks=pytest.mark.slow),
    ],
)
def test_demo_shows_a_meter_of_every_protocol(profile: str, protocol: str) -> None:
    with serving("demo", "--profile", profile) as server:
        until(lambda: server.get("/api/electricity/cumulated").status_code == 200)
        meters = server.get("/api/v1/meters").json()["meters"]
    assert [meter["protocol"] for meter in meters] == [protocol] * len(meters)
    assert all(meter["simulated"] for meter in meters)


@pytest.mark.slow
def test_the_demo_has_a_meter_at_the_solar_roof_of_the_same_household() -> None:
    with serving("demo", "--solar") as server:
        until(lambda: "consumption_w" in server.get("/api/v1/solar").json())
        facts = [status["facts"] for status in server.get("/api/v1/status").json()["meters"]]
    assert [(fact["name"], fact["role"]) for fact in facts] == [("House", "grid"), ("Solar roof", "production")]


def test_the_demo_has_a_contract_where_the_configuration_has_none(tmp_path: Path) -> None:
    (of_demo,) = contracts_from_config([contract(date(2024, 1, 1))])
    assert (of_demo.begins, of_demo.currency) == (date(2024, 1, 1), "EUR")
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path)}

    def price() -> object:
        answer = server.get("/api/v1/meters/1ISK0010000001/cost?from=today&bucket=day")
        return answer.json().get("contract", {}).get("energy_amount")

    with serving("demo", environ=environ) as server:
        until(lambda: price() is not None)
        assert Decimal(str(price())) == Decimal("0.3265")
    own = tmp_path / "own.toml"
    own.write_text("[[contracts]]\nbegins = 2024-01-01\nenergy_price = 0.25\n")
    with serving("demo", "--config", str(own), environ=environ) as server:
        until(lambda: price() is not None)
        assert Decimal(str(price())) == Decimal("0.25")
