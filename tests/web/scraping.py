"""A real Prometheus that scrapes a server of the tests every 0.2 s."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from programs import PROMETHEUS, started
from running import Server, fetch, free_port, until

JOB = "iskra-server"


class Scraper:
    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series of an instant query: `metric` has the labels, `value` the time and the number."""
        answer = fetch(f"{self._url}/api/v1/query", params={"query": query}).json()
        assert answer["status"] == "success", (query, answer)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def values(self, query: str) -> dict[str, str]:
        """The values by register name."""
        return {series["metric"].get("name", ""): series["value"][1] for series in self.ask(query)}

    def targets(self) -> list[dict[str, Any]]:
        """The targets that were scraped at least once."""
        targets: list[dict[str, Any]] = fetch(f"{self._url}/api/v1/targets").json()["data"]["activeTargets"]
        return [target for target in targets if target["health"] != "unknown"]


@contextmanager
def scraping(server: Server, folder: Path) -> Iterator[Scraper]:
    """Yields after the first scrape; skips if Prometheus is not installed."""
    if not PROMETHEUS.path:
        pytest.skip("Prometheus is not installed: apt-get install prometheus")
    folder.mkdir()
    jobs = [{"job_name": JOB, "static_configs": [{"targets": [server.url.removeprefix("http://")]}]}]
    settings = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    with started(PROMETHEUS, folder, free_port()) as url:
        scraper = Scraper(url)
        # takes about five seconds
        until(scraper.targets)
        yield scraper
