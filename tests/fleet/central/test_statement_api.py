"""A statement over HTTP: a tenant gets that of his own time, and no number of another tenant."""

import csv
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

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
ALL = "/api/v1/fleet/statements.zip?from=2025-11-23&tz=UTC"


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
    name = "tenant-Meyer-2025-11-23.html"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["cache-control"] == "no-store"
    assert "<h1>Energieaufstellung</h1>" in answer.text
    assert "Mess- und Eichgesetz" in answer.text


def archive(site: Site, query: str, token: str = TOKEN) -> dict[str, str]:
    """The texts of the files by their names."""
    answer = site.get(f"{ALL}&{query}", authorization=f"Bearer {token}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="building-7-2025-11-23.zip"'
    with ZipFile(BytesIO(answer.content)) as files:
        assert files.testzip() is None
        return {name: files.read(name).decode() for name in files.namelist()}


def test_the_statements_of_all_tenants_are_one_archive(site: Site) -> None:
    files = archive(site, "group=building:7&lang=de")
    names = [f"tenant-{name}-2025-11-23.{form}" for name in ("Meyer", "Neu") for form in ("html", "csv")]
    assert list(files) == names
    assert all("Energieaufstellung" in files[name] and "Gebäude 7, Mieter" in files[name] for name in names[::2])
    for name, energy_wh in (("Meyer", "2304.0"), ("Neu", "6912.0")):
        rows = csv.DictReader(StringIO(files[f"tenant-{name}-2025-11-23.csv"]))
        assert [row["energy_wh"] for row in rows if row["kind"] == "total"] == [energy_wh] * 2
    assert list(archive(site, "group=building:7&format=csv&each=building")) == ["building-7-2025-11-23.csv"]


def test_a_tenants_archive_has_his_own_statement_alone(site: Site) -> None:
    files = archive(site, "group=building:7&format=html", NEU)
    assert list(files) == ["tenant-Neu-2025-11-23.html"]
    assert "Meyer" not in "".join(files.values())


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("", "'group' is missing"),
        ("&group=building:9", "No meter of building:9 belongs to a tenant in this period."),
        ("&group=building:7&each=tariff", "No meter of building:7 belongs to a tariff in this period."),
        ("&group=building:7&format=pdf", "'format=pdf' is not allowed; allowed are html, csv"),
    ],
)
def test_a_request_for_an_archive_that_would_be_empty_says_so(site: Site, query: str, detail: str) -> None:
    answer = site.get(ALL + query, authorization=f"Bearer {TOKEN}")
    assert (answer.status_code, detail in answer.json()["detail"]) == (400, True)


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
    for path in (PATH, ALL):
        answer = site.get(f"{path}&group=building:7", authorization=f"Bearer {TOKEN}")
        assert (answer.status_code, "has 1 meters" in answer.json()["detail"]) == (400, True)
