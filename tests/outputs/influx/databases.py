"""Real databases for the output: Debian's InfluxDB 1 and VictoriaMetrics, started, ended and asked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import InfluxConfig
from iskra_server.outputs.influx import target as targets
from iskra_server.outputs.influx.target import Target
from programs import INFLUX, VICTORIA, Program, started
from running import fetch, free_port, until

DATABASE = "iskra"
# points by their time in ms: the fields that the database has at that moment
Points = dict[int, dict[str, float]]


def target_of(url: str, token: str = "", password: str = "", **keys: str) -> Target:
    return targets.target_of(InfluxConfig(url=Address(url), token=Secret(token), password=Secret(password), **keys))  # type: ignore[arg-type]


class Influx:
    """InfluxDB 1: `running()` starts it, as often as wanted, on the same port and folder."""

    program: Program = INFLUX

    def __init__(self, folder: Path) -> None:
        if not self.program.path:
            pytest.skip(f"{self.program.name} is not installed: apt-get install {self.program.package}")
        self.folder = folder / self.program.package
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables: dict[str, str] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        with started(self.program, self.folder, self.port, **self.variables):
            self.prepare()
            yield

    def prepare(self) -> None:
        self.query(f"CREATE DATABASE {DATABASE}")

    def query(self, statement: str, **more: str) -> Any:
        parameters = {"db": DATABASE, "epoch": "ms", "q": statement, **more}
        answer = httpx.post(f"{self.url}/query", params=parameters, timeout=60, verify=False)
        assert answer.is_success, answer.text
        return answer.json()["results"][0].get("series", [])

    def points(self) -> Points:
        """Every point there is, and how often it is there: a time that stands twice fails."""
        found: Points = {}
        for series in self.query('SELECT * FROM "electricity"'):
            for at, *values in series["values"]:
                assert at not in found, f"{at} stands twice"
                named = zip(series["columns"][1:], values, strict=True)
                found[at] = {name: value for name, value in named if isinstance(value, int | float)}
        return found


class Victoria(Influx):
    """VictoriaMetrics, which makes a series of each field: electricity_power and the like."""

    program = VICTORIA

    def prepare(self) -> None:
        """It has no databases."""

    def points(self) -> Points:
        fetch(f"{self.url}/internal/force_flush")
        everything = {"match[]": '{__name__=~"electricity_.*"}', "start": "0", "end": str(time.time() + 1e6)}
        found: Points = {}
        for line in fetch(f"{self.url}/api/v1/export", params=everything).iter_lines():
            series = httpx.Response(200, text=line).json()
            name = series["metric"]["__name__"].removeprefix("electricity_")
            for at, value in zip(series["timestamps"], series["values"], strict=True):
                fields = found.setdefault(at, {})
                assert name not in fields, f"{name} at {at} stands twice"
                fields[name] = value
        return found


def wait_for(database: Influx, count: int) -> Points:
    """The points, once there are so many of them."""
    until(lambda: len(database.points()) >= count, 60)
    return database.points()
