"""The alert rules and the dashboard of a central server: Prometheus reads them, and every metric in them exists."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.engine import ROOT
from iskra_server.diagnosis.central_state import central_state
from iskra_server.fleet.central.collector_state import CollectorState
from iskra_server.runtime.collector_http import collector_families
from iskra_server.web.metrics.central import central_families
from iskra_server.web.metrics.exposition import TEXT, Family, write
from iskra_server.web.metrics.metrics import HISTORY, METERS, OUTPUTS
from web.metrics.central_facts import FACTS

RULES = ROOT / "deploy" / "prometheus" / "iskra-alerts.yml"
BOARD = ROOT / "deploy" / "grafana" / "iskra-central.json"
CASES = Path(__file__).parent / "alert_cases.yml"
_NAME = re.compile(r"\b(?:iskra|process)_\w+")


def expressions() -> dict[str, str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}
    panels: list[dict[str, Any]] = json.loads(BOARD.read_text())["panels"]
    return rules | {
        f"{panel['title']} {target['refId']}": target["expr"] for panel in panels for target in panel["targets"]
    }


def names() -> set[str]:
    """Of all series that a central server, a collector and a server have."""
    families: list[Family] = [
        *central_families(central_state(FACTS)),
        *collector_families(CollectorState(last_written_s=1.0), "1"),
    ]
    scraped = {re.split(r"[{ ]", line)[0] for line in write(families, TEXT).decode().splitlines() if line[0] != "#"}
    tables = (("meter", METERS), ("history", HISTORY), ("output", OUTPUTS))
    return scraped | {f"iskra_{prefix}_{metric.name}" for prefix, table in tables for metric in table}


@pytest.mark.parametrize("expression", expressions().values(), ids=expressions())
def test_every_metric_in_it_exists(expression: str) -> None:
    found = set(_NAME.findall(expression))
    assert found
    assert found - names() == set()


@pytest.mark.parametrize("options", [("check", "rules", RULES), ("test", "rules", CASES)], ids=["syntax", "cases"])
def test_prometheus_understands_the_rules_and_they_fire_when_they_should(options: tuple[Any, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    done = subprocess.run([promtool, *map(str, options)], capture_output=True, text=True, cwd=CASES.parent, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_of_the_dashboard_do_not_lie_on_each_other() -> None:
    places = [panel["gridPos"] for panel in json.loads(BOARD.read_text())["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
