import json
from decimal import Decimal
from typing import Any

from msgspec import structs

from iskra_server.diagnosis.facts import StreamQuality
from iskra_server.diagnosis.status import run_checks
from iskra_server.reading.reception import DayCounts
from iskra_server.web.app import create_app
from iskra_server.web.http.settings import WebSettings
from web.serving import NEVER, ServerStub, Site, arrived, status


def decoded(site: Site, path: str) -> tuple[int, dict[str, Any]]:
    answer = site.get(path)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, json.loads(answer.content, parse_float=Decimal)


def test_quality_has_the_counts_of_every_source() -> None:
    site = Site(arrived())
    now = StreamQuality(seconds=10, valid=9, damaged=1, cut=1, byte_count=4210, valid_ratio=0.9)
    site.statuses = [run_checks(structs.replace(status().facts, last_10s=now)), status(port="/dev/ttyUSB1", **NEVER)]
    answer = site.get("/api/v1/quality")
    assert answer.headers["cache-control"] == "no-store"
    first, second = answer.json()["sources"]
    assert first == {
        **{"seconds": 10, "valid": 9, "damaged": 1, "cut": 1, "byte_count": 4210, "valid_ratio": 0.9},
        **{"framing": None, "overruns": None, "bytes_per_s": None, "unreadable": 0},
        **{"source": "auto", "port": "/dev/ttyUSB0", "meter_id": "1 ISK 00 12345678"},
    }
    assert (second["port"], second["meter_id"], second["valid"], second["valid_ratio"]) == (
        "/dev/ttyUSB1",
        None,
        0,
        None,
    )


def test_quality_day_has_the_slots_of_every_source() -> None:
    slots = DayCounts()
    slots.count_valid(10.0)
    slots.count_damaged(10.0)
    days = [("auto", slots.day(10.0)), ("tcp://x:1", slots.day(400.0))]
    site = Site()
    site.app = create_app(WebSettings("1"), ServerStub(reception_days=lambda: days))
    answer = site.get("/api/v1/quality/day")
    assert answer.headers["cache-control"] == "no-store"
    first, second = answer.json()["sources"]
    assert (first["source"], first["slot_s"], first["valid"][-2:], first["damaged"][-1]) == ("auto", 300, [0, 1], 1)
    assert (second["source"], second["valid"][-2:]) == ("tcp://x:1", [1, 0])


def test_the_process_is_healthy_whatever_the_meter() -> None:
    assert decoded(Site(), "/healthz") == (200, {"status": "ok"})


def test_health_can_depend_on_every_meter_being_fresh() -> None:
    assert decoded(Site(arrived()), "/healthz?meter=fresh")[0] == 200
    code, body = decoded(Site(arrived(age_s=61)), "/healthz?meter=fresh")
    assert (code, body["reason"]) == (503, "not_fresh")


def test_one_silent_source_of_two_is_not_fresh() -> None:
    site = Site(arrived())
    site.statuses = [status(), status(is_open=False, problem="unplugged", **NEVER)]
    assert decoded(site, "/healthz?meter=fresh")[1]["detail"] == site.statuses[1].sentence


def test_health_without_a_source_is_not_fresh() -> None:
    site = Site()
    site.statuses = []
    assert decoded(site, "/healthz?meter=fresh")[0] == 503


def test_an_unknown_health_parameter_is_refused() -> None:
    code, body = decoded(Site(arrived()), "/healthz?meter=frsh")
    assert (code, "frsh" in body["detail"]) == (400, True)
