import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from iskra_server.web.http.problem import known_are
from samples import METER_ID, SERVER_ID
from web.serving import NEVER, Site, arrived, status


def decoded(site: Site, path: str) -> tuple[int, dict[str, Any]]:
    answer = site.get(path)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, json.loads(answer.content, parse_float=Decimal)


def test_every_meter_is_listed_with_its_registers() -> None:
    code, body = decoded(Site(arrived()), "/api/v1/meters")
    (meter,) = body["meters"]
    assert (code, meter["id"], meter["fresh"]) == (200, METER_ID, True)
    values = {register["name"]: register["value"] for register in meter["registers"]}
    assert values == {"manufacturer": "49534b", "energy_import": Decimal("10732309.0"), "power": 1243}
    assert "last_seen" not in meter


def test_a_stale_meter_is_listed_without_registers() -> None:
    (meter,) = decoded(Site(arrived(age_s=61)), "/api/v1/meters")[1]["meters"]
    assert (meter["fresh"], meter["registers"], meter["received_at"]) == (False, [], None)
    assert meter["last_seen"].endswith("Z")


def test_without_a_meter_the_list_is_empty() -> None:
    site = Site()
    site.statuses = [status(**NEVER)]
    assert decoded(site, "/api/v1/meters") == (200, {"meters": []})


@pytest.mark.parametrize("name", [quote(METER_ID), "1ISK0012345678", SERVER_ID.hex()])
def test_one_meter_is_found_by_each_of_its_names(name: str) -> None:
    code, body = decoded(Site(arrived()), f"/api/v1/meters/{name}")
    assert (code, body["id"]) == (200, METER_ID)


def test_an_unknown_meter_is_a_problem_that_lists_the_known() -> None:
    code, body = decoded(Site(arrived()), "/api/v1/meters/nobody")
    assert (code, body["status"], body["meters"]) == (404, 404, [METER_ID])
    assert "'nobody'" in body["detail"]


def test_of_very_many_meters_the_sentence_names_some() -> None:
    assert known_are([]) == "None is known yet."
    assert known_are(["a", "b"]) == "Known are: a, b."
    assert known_are(["a"] * 1000) == f"Known are: {', '.join(['a'] * 20)} and 980 more."


def test_a_stale_meter_is_a_problem_that_says_when_it_was_seen() -> None:
    code, body = decoded(Site(arrived(age_s=61)), f"/api/v1/meters/{quote(METER_ID)}")
    assert (code, body["reason"], body["last_seen"][-1]) == (503, "stale", "Z")
    assert "registers" not in body


def test_a_meter_never_read_is_a_problem_with_the_sentence_of_the_failed_check() -> None:
    site = Site()
    site.statuses = [status(age_s=None)]
    code, body = decoded(site, f"/api/v1/meters/{quote(METER_ID)}")
    assert (code, body["reason"], body["detail"]) == (503, "no_reading", site.statuses[0].sentence)


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


def test_a_misspelt_health_question_is_refused() -> None:
    code, body = decoded(Site(arrived()), "/healthz?meter=frsh")
    assert (code, "frsh" in body["detail"]) == (400, True)


def test_the_yaml_for_home_assistant_is_that_of_the_address_asked_or_given() -> None:
    site = Site(arrived())
    answer = site.get("/api/v1/homeassistant").json()
    assert answer["url"] == "http://test"
    assert 'resource: "http://test/api/electricity/cumulated"' in answer["yaml"]
    assert "1isk0012345678_power" in answer["yaml"]
    assert 'resource: "http://pi:18080/api/v1/' in site.get("/api/v1/homeassistant?url=http://pi:18080/").json()["yaml"]


def test_no_yaml_is_made_for_what_is_no_address() -> None:
    answer = Site().get("/api/v1/homeassistant?url=pi")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
