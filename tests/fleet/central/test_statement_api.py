"""A statement over HTTP: a tenant gets that of his own time, and no number of another tenant."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import insert

from history.entries import METER, quarter_reading
from iskra_server.base.secret import Secret
from iskra_server.fleet.central import statement_api
from iskra_server.history.store.schema import ALWAYS, label
from iskra_server.history.store.store import Store
from iskra_server.web.http.settings import ScopedToken
from web.serving import Site

# 2025-11-23 00:00 UTC; Neu moves in at noon
FIRST = 1_763_856_000 // 900
MOVE = FIRST + 48
TOKEN, MEYER, NEU = "0123456789abcdef", "meyer-0123456789abcdef", "neu-0123456789abcdef"
PATH = "/api/v1/fleet/statement?from=2025-11-23&tz=UTC"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    store.write([quarter_reading(FIRST + place, 1000 + 10 * place**2) for place in range(97)], [METER])
    names = "meter", "kind", "value", "from_quarter", "to_quarter"
    rows = [(1, "building", "7", 0, ALWAYS), (1, "tenant", "Meyer", 0, MOVE), (1, "tenant", "Neu", MOVE, ALWAYS)]
    with store.transaction() as connection:
        connection.execute(insert(label), [dict(zip(names, row, strict=True)) for row in rows])
    scoped = tuple(ScopedToken(Secret(token), (("tenant", name),)) for token, name in ((MEYER, "Meyer"), (NEU, "Neu")))
    yield Site(history=store, token=TOKEN, scoped_tokens=scoped)
    store.close()


def totals(site: Site, group: str, token: str) -> list[tuple[str, str, str]]:
    answer = site.get(f"{PATH}&format=csv&group={group}", authorization=f"Bearer {token}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    rows = csv.DictReader(StringIO(answer.text))
    return [(row["begin"], row["end"], row["energy_wh"]) for row in rows if row["kind"] == "total" and row["meter"]]


def test_each_tenant_sees_his_own_time(site: Site) -> None:
    midnight, noon, end = "2025-11-23T00:00:00+00:00", "2025-11-23T12:00:00+00:00", "2025-11-24T00:00:00+00:00"
    assert totals(site, "building:7", TOKEN) == [(midnight, end, "9216.0")]
    for group in ("building:7", "tenant:Meyer"):
        assert totals(site, group, MEYER) == [(midnight, noon, "2304.0")]
    for group in ("building:7", "tenant:Neu"):
        assert totals(site, group, NEU) == [(noon, end, "6912.0")]
    assert totals(site, "tenant:Meyer", NEU) == []


def test_the_page_is_a_file_to_keep(site: Site) -> None:
    answer = site.get(f"{PATH}&group=tenant:Meyer&lang=de", authorization=f"Bearer {MEYER}")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    name = "tenant-Meyer-2025-11-23_2025-11-23.html"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["cache-control"] == "no-store"
    assert "<h1>Energieaufstellung</h1>" in answer.text
    assert "Mess- und Eichgesetz" in answer.text


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("", "'group' is missing"),
        ("&group=tenant:Meyer&format=pdf", "'format=pdf' is not allowed; allowed are html, csv"),
        ("&group=tenant:Meyer&lang=fr", "'lang=fr' is not allowed; allowed are en, de"),
        ("&group=tenant:Meyer&to=2029", "period is longer than 1100 days"),
    ],
)
def test_a_wrong_request_says_what_is_allowed(site: Site, query: str, detail: str) -> None:
    answer = site.get(PATH + query, authorization=f"Bearer {TOKEN}")
    assert (answer.status_code, detail in answer.json()["detail"]) == (400, True)


def test_a_group_with_too_many_meters_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_api, "MAX_METERS", 0)
    answer = site.get(f"{PATH}&group=building:7", authorization=f"Bearer {TOKEN}")
    assert (answer.status_code, "has 1 meters" in answer.json()["detail"]) == (400, True)
