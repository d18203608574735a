"""Questions about a random house, with the answers that an oracle finds: energy of groups, groups, quarter readings."""

import csv
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import groupby, pairwise
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fleet.central.billed_house import (
    BERLIN,
    BUILDINGS,
    EXPORT,
    IMPORT,
    NEVER,
    TARIFFS,
    TENANTS,
    Gathered,
    House,
    quarter_at,
)
from fleet.central.shown_readings import tenths
from iskra_server.base.secret import Secret
from iskra_server.history.store.store import Store
from iskra_server.web.http.settings import ScopedToken
from web.serving import Site

ADMIN = "admin-0123456789abcdef"
ZONES = (BERLIN, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu"))
GROUPS = [("building", "7"), *(("tenant", name) for name in TENANTS), *(("tariff", name) for name in TARIFFS)]
TOKENS = {
    ADMIN: None,
    "meyer-0123456789abcdef": [("tenant", "Meyer")],
    "house-0123456789abcdef": [("building", "8"), ("tenant", "Neu")],
}
Within = Sequence[tuple[str, str]] | None


def wh(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value).scaleb(-1)


def at(quarter: int, tz: ZoneInfo) -> str:
    return datetime.fromtimestamp(quarter * 900, tz).isoformat()


def edges_of(begin: int, end: int, bucket: str, tz: ZoneInfo) -> list[int]:
    """Where the clock on the wall shows another hour, day, month or year."""

    def name(quarter: int) -> object:
        local = datetime.fromtimestamp(quarter * 900, tz)
        return {
            "15min": quarter,
            "hour": (local.date(), local.hour, local.utcoffset()),
            "day": local.date(),
            "week": local.isocalendar()[:2],
            "month": (local.year, local.month),
            "year": local.year,
        }[bucket]

    starts = [next(quarters) for _, quarters in groupby(range(begin, end), name)]
    return [*starts, end]


class Told:
    """Answers of the server, and what they should be."""

    def __init__(self, store: Store, house: House) -> None:
        self.store, self.house = store, house
        tokens = tuple(ScopedToken(Secret(token), tuple(within)) for token, within in TOKENS.items() if within)
        self.site = Site(history=store, token=ADMIN, scoped_tokens=tokens)
        first, last = house.dates[0], house.dates[-1] - timedelta(days=1)
        self.days = {"from": first.isoformat(), "to": last.isoformat()}
        self.months = {"from": f"{first:%Y-%m}", "to": f"{last:%Y-%m}"}
        self.years = {"from": f"{first:%Y}", "to": f"{last:%Y}"}

    def ask(self, route: str, token: str, **query: str) -> Any:
        answer = self.site.get(f"/api/v1/fleet/{route}?{urlencode(query)}", authorization=f"Bearer {token}")
        assert answer.status_code == 200, answer.text
        return answer

    def edges(self, period: dict[str, str], bucket: str, tz: ZoneInfo) -> list[int]:
        text, until = period["from"], period["to"]
        first = date.fromisoformat((text + "-01-01")[:10])
        begin = quarter_at(first, tz)
        last = date.fromisoformat((until + "-01-01")[:10])
        if len(until) == 10:
            after = last + timedelta(days=1)
        elif len(until) == 7:
            after = (last + timedelta(days=31)).replace(day=1)
        else:
            after = date(last.year + 1, 1, 1)
        return edges_of(begin, quarter_at(after, tz), bucket, tz)

    def check_energy(
        self, groups: Sequence[tuple[str, str]], buckets: Sequence[tuple[dict[str, str], str, ZoneInfo]]
    ) -> None:
        for period, bucket, tz in buckets:
            edges = self.edges(period, bucket, tz)
            for group in groups:
                for token, within in TOKENS.items():
                    query = {"group": ":".join(group), "bucket": bucket, "tz": tz.key, **period}
                    body = json.loads(self.ask("energy", token, **query).content, parse_float=Decimal)
                    where = group, within, bucket, tz.key, period
                    assert [one["begin"] for one in body["buckets"]] == [at(edge, tz) for edge in edges[:-1]], where
                    assert body["buckets"][-1]["end"] == at(edges[-1], tz)
                    self._check_buckets(body, group, within, edges, where)
                    self._check_members(body, group, within, tz, where)

    def _check_buckets(
        self, body: Any, group: tuple[str, str], within: Within, edges: Sequence[int], where: object
    ) -> None:
        for flow, obis in (("import", IMPORT), ("export", EXPORT)):
            for bucket, span in zip(body["buckets"], pairwise(edges), strict=True):
                true = self.house.gathered(obis, [group], *span, within)
                told = Gathered(
                    energy=None if f"{flow}_wh" not in bucket else bucket[f"{flow}_wh"] * 10,
                    **bucket[f"{flow}_completeness"],
                )
                assert told == true, (flow, span, bucket["begin"], where)
            whole = self.house.gathered(obis, [group], edges[0], edges[-1], within)
            told = body[f"{flow}_completeness"]
            assert (told["meters"], told["quarters"]) == (whole.meters, whole.quarters), where

    def _check_members(self, body: Any, group: tuple[str, str], within: Within, tz: ZoneInfo, where: object) -> None:
        begin, end = self.time_of(group, within)
        assert body.get("members_begin") == (at(begin, tz) if 0 < begin < NEVER else None), where
        assert body.get("members_end") == (at(end, tz) if 0 < end < NEVER else None), where

    def time_of(self, group: tuple[str, str], within: Within) -> tuple[int, int]:
        spans = [span for flat in self.house.all for span in flat.spans([group], 0, NEVER, within)]
        return min((span[0] for span in spans), default=0), max((span[1] for span in spans), default=NEVER)

    def check_groups(self) -> None:
        for kind, values in (("building", BUILDINGS), ("tenant", TENANTS), ("tariff", TARIFFS)):
            for token, within in TOKENS.items():
                true = {}
                for value in values:
                    spans = [span for flat in self.house.all for span in flat.spans([(kind, value)], 0, NEVER, within)]
                    if spans:
                        begin, end = min(span[0] for span in spans), max(span[1] for span in spans)
                        true[value] = begin or None, None if end == NEVER else end
                    elif within is None and any(
                        period.value == value
                        for flat in self.house.all
                        for own in flat.labels
                        for period in own.get(kind, ())
                    ):
                        true[value] = None, None
                body = self.ask("groups", token, kind=kind).json()
                told = {
                    one["value"]: tuple(
                        int(datetime.fromisoformat(one[name]).timestamp()) // 900 if name in one else None
                        for name in ("begin", "end")
                    )
                    for one in body["groups"]
                }
                assert told == true, (kind, within)

    def check_quarters(self, groups: Sequence[tuple[str, str]], tz: ZoneInfo) -> None:
        edges = self.edges(self.days, "day", tz)
        begin, end = edges[0], edges[-1]
        for group in groups:
            for token, within in TOKENS.items():
                text = self.ask("quarters.csv", token, group=":".join(group), tz=tz.key, **self.days).text
                told = [
                    (row["meter"], row["register"], row["time"], Decimal(row["value_wh"]), row["quality"])
                    for row in csv.DictReader(StringIO(text))
                ]
                true = {
                    (shown.device, str(obis), at(quarter, tz), wh(tenths(shown.value)), shown.quality)
                    for flat in self.house.all
                    for obis, column in flat.columns.items()
                    for span in flat.spans([group], begin, end, within)
                    for quarter, shown in column.readings.items()
                    if span[0] <= quarter <= span[1]
                }
                assert len(told) == len(true), (group, within)
                assert set(told) == true, (group, within)
