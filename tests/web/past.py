"""A past for the tests: what a meter's history holds, by hand, and what a site answers from it."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from iskra_server.history.model.records import (
    EpochStart,
    Exact,
    MeterInfo,
    PointBlock,
    PowerQuarter,
    Quality,
    QuarterReading,
    quarter_of,
)
from iskra_server.history.points.points import Point, block_of
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import WATT
from samples import IMPORT, METER_ID, POWER, SERVER_ID
from web.serving import Site

NAME = "1ISK0012345678"
BERLIN = "Europe/Berlin"


def quarter(text: str) -> int:
    """The quarter of a moment such as 2026-11-22T10:00:00+01:00."""
    return quarter_of(datetime.fromisoformat(text).timestamp())


# a quarter in the past, with room around it
Q = quarter("2025-06-02T10:00:00+00:00")
INFO = MeterInfo(METER_ID, SERVER_ID.hex(), False, Q * 900, Q * 900)


def info(meter_id: str = METER_ID, first: int = Q, *, simulated: bool = False) -> MeterInfo:
    """A meter that was first seen at the beginning of a quarter."""
    server_id = SERVER_ID[:6] + int(meter_id[-8:]).to_bytes(4)
    return MeterInfo(meter_id, server_id.hex(), simulated, first * 900, first * 900)


def counted(
    values: Iterable[int | None],
    *,
    first: int = Q,
    obis: Obis = IMPORT,
    quality: Quality = "measured",
    epoch: int = 0,
    meter_id: str = METER_ID,
) -> list[QuarterReading]:
    """What a counter showed at one quarter after the other, in 0.1 Wh; None: nothing is known."""
    return [
        QuarterReading(meter_id, obis, first + place, Exact(raw, -1), quality, epoch)
        for place, raw in enumerate(values)
        if raw is not None
    ]


def anew(at: int, before: int | None, after: int, *, epoch: int = 1, obis: Obis = IMPORT) -> EpochStart:
    known = None if before is None else Exact(before, -1)
    return EpochStart(METER_ID, obis, epoch, at, known, Exact(after, -1))


def power(first: int, means_w: Iterable[int | None], meter_id: str = METER_ID) -> list[PowerQuarter]:
    """Quarters with a mean in W, 100 W more and less as most and least; None: nothing is known."""
    return [
        PowerQuarter(meter_id, first + place, (watts - 100) * 1000, watts * 1000, (watts + 100) * 1000, 900)
        for place, watts in enumerate(means_w)
        if watts is not None
    ]


def telegrams(
    first_s: int, watts: Sequence[int], *, obis: Obis = POWER, every_s: int = 1, scaler: int = 0
) -> PointBlock:
    """A block of points with the power of one telegram after the other."""
    points = [
        Point((first_s + place * every_s) * 1000, (Register(obis, value, scaler, WATT),))
        for place, value in enumerate(watts)
    ]
    return block_of(METER_ID, points)


class Past:
    """A site over a store. `get` takes the rest of the path below the meter."""

    def __init__(self, store: Store, tz: str = "UTC") -> None:
        self.site = Site(history=store, tz=tz)

    def get(self, path: str, name: str = NAME, **headers: str) -> httpx.Response:
        return self.site.get(f"/api/v1/meters/{name}/{path}", **headers)

    def ask(self, path: str, name: str = NAME) -> dict[str, Any]:
        """A good answer, its numbers exact."""
        answer = self.get(path, name)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
        return content

    def refusal(self, path: str, name: str = NAME) -> str:
        """The sentence of a 400."""
        answer = self.get(path, name)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        sentence: str = answer.json()["detail"]
        assert sentence.endswith(".") and not sentence.endswith("..")
        return sentence
