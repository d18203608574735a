"""The Grafana dashboard: each of its queries is put to a real Prometheus that scrapes the real server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from running import free_port, serving, until
from web.scraping import JOB, Scraper, scraping

FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "iskra-server.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
# what Grafana puts in place of its variables
VALUES = {"$__rate_interval": "10s", "$meter": ".*", "$source": ".*", "$job": JOB}


def filled(expression: str) -> str:
    for name, value in VALUES.items():
        expression = expression.replace(name, value)
    return expression


def queries() -> dict[str, str]:
    return {
        f"{panel['title']} {target['refId']}": filled(target["expr"])
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    }


@pytest.fixture(scope="module")
def scraper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraper]:
    """Of a server with everything that it can have; the output's database is away, so that points wait."""
    folder = tmp_path_factory.mktemp("grafana")
    environ = {
        "IES_HISTORY_ENABLED": "true",
        "IES_DATA_DIR": str(folder),
        "IES_INFLUX_URL": f"http://127.0.0.1:{free_port()}",
    }
    with serving("serve", "simulator:MT175", environ=environ) as server, scraping(server, folder / "x") as scraper:
        yield scraper


@pytest.mark.parametrize("query", queries().values(), ids=queries())
def test_every_query_is_answered_by_a_real_prometheus(scraper: Scraper, query: str) -> None:
    until(lambda: scraper.ask(query))


def test_every_variable_is_filled_by_what_is_scraped(scraper: Scraper) -> None:
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
            assert found, variable
            assert all(series["metric"][found[2]] for series in scraper.ask(found[1])), variable


def test_the_expression_of_the_annotation_is_understood(scraper: Scraper) -> None:
    for annotation in DASHBOARD["annotations"]["list"]:
        scraper.ask(filled(annotation["expr"]))


def test_no_query_names_a_variable_that_the_dashboard_has_not() -> None:
    named = set(re.findall(r"\$\w+", " ".join(queries().values())))
    assert named == set()


def test_panels_do_not_lie_on_each_other() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
