import asyncio
import json
from decimal import Decimal
from typing import Any
from unittest.mock import ANY

import pytest
from msgspec import structs
from msgspec.structs import replace
from starlette.types import Message

import submeters
import texts
from iskra_server.base.clock import boottime_s
from iskra_server.base.json_values import instant
from iskra_server.diagnosis.facts import CounterViolation
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.web.api import cumulated
from running import DEADLINE_S
from samples import EXPORT, METER_ID, SERVER_ID, energy, power
from web.serving import NEVER, Site, arrived, status

PATH = "/api/electricity/cumulated"
OTHER_ID = "1 ISK 00 70000001"


def ask(site: Site, query: str = "") -> tuple[int, dict[str, Any]]:
    answer = site.get(PATH + query)
    return answer.status_code, json.loads(answer.content, parse_float=Decimal)


def value(site: Site) -> str:
    return str(ask(site)[1]["value"])


def test_the_answer_has_exactly_the_original_fields() -> None:
    sample = arrived(energy(123456789))
    answer = Site(sample).get(PATH)
    moment = sample.received_at.strftime("%Y-%m-%dT%H:%M:%S") + f".{sample.received_at.microsecond // 1000:03d}Z"
    assert answer.text == f'{{"time":"{moment}","type":0,"unit":"kWh","value":12345.6789}}'
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("register", "text"),
    [
        (energy(107323090), "10732.3090"),
        (energy(10732309, scaler=0), "10732.309"),
        (energy(7167, scaler=3), "7167"),
        (energy(7, scaler=5), "700"),
        (energy(0), "0.0000"),
        (energy(2**63 - 1, scaler=-2), "92233720368547.75807"),
    ],
)
def test_the_value_has_every_digit_that_the_meter_sent(register: Register, text: str) -> None:
    assert f'"value":{text}}}' in Site(arrived(register)).get(PATH).text


def test_simulated_data_says_so() -> None:
    assert ask(Site(arrived(simulated=True)))[1]["simulated"] is True


def test_before_the_first_reading_there_is_no_value_and_the_failed_check_says_why() -> None:
    site = Site()
    site.statuses = [status(is_open=False, problem="missing", **NEVER)]
    assert ask(site) == (
        503,
        {"error": site.statuses[0].sentence, "reason": "no_reading"},
    )


def test_without_any_source_there_is_no_value() -> None:
    site = Site()
    site.statuses = []
    code, body = ask(site)
    assert (code, body["reason"], "value" in body) == (503, "no_reading", False)


def test_a_stale_reading_has_no_value() -> None:
    code, body = ask(Site(arrived(age_s=61)))
    assert (code, body["reason"], "value" in body) == (503, "stale", False)
    assert "61 s old" in body["error"]


def test_a_cached_answer_becomes_stale_too(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(arrived())
    assert ask(site)[0] == 200
    monkeypatch.setattr(cumulated, "boottime_s", lambda: boottime_s() + 61)
    code, body = ask(site)
    assert (code, body["reason"]) == (503, "stale")


def test_a_total_that_is_held_back_says_why() -> None:
    site = Site(arrived(power(5), Register(Obis.parse("1.8.0"), b"")))
    shown = CounterViolation("1-0:1.8.0", "0", "28136073400000", 0, is_decrease=False, is_beyond_rating=True)
    site.statuses = [status(counter_violation=shown)]
    code, body = ask(site)
    assert (code, body["reason"]) == (503, "held_back")
    assert body["error"].startswith("1-0:1.8.0 is held back: it shows 28136073400000, more than the connection")
    # another register says nothing about the total
    site.statuses = [status(counter_violation=replace(shown, register="1-0:2.8.0"))]
    assert ask(site)[1]["reason"] == "no_total"


@pytest.mark.parametrize(
    "registers",
    [
        (energy(1, obis=EXPORT), power(5)),
        (Register(Obis.parse("1.8.0"), b""),),
    ],
)
def test_a_meter_without_a_total_has_no_value(registers: tuple[Register, ...]) -> None:
    code, body = ask(Site(arrived(*registers)))
    assert (code, body["reason"], "value" in body) == (503, "no_total", False)


def test_a_derived_total_says_so() -> None:
    code, body = ask(Site(arrived(structs.replace(energy(88385840), derived="sum of tariffs"))))
    assert (code, body["value"], body["derived"]) == (200, Decimal("8838.5840"), "sum of tariffs")


@pytest.mark.parametrize(
    "name", [METER_ID.replace(" ", "%20"), METER_ID.replace(" ", "+"), "1ISK0012345678", SERVER_ID.hex()]
)
def test_a_meter_can_be_named(name: str) -> None:
    site = Site(arrived(energy(1), meter_id=OTHER_ID), arrived(energy(2)))
    site.statuses = [status(meter_id=OTHER_ID), status()]
    assert ask(site, f"?meter={name}")[1]["value"] == Decimal("0.0002")
    assert ask(site)[1]["value"] == Decimal("0.0001")


def test_the_error_for_an_unknown_meter_lists_the_known_ones() -> None:
    code, body = ask(Site(arrived()), "?meter=nobody")
    assert (code, body["reason"]) == (404, "unknown_meter")
    assert METER_ID in body["error"] and "nobody" in body["error"]


def test_another_meter_never_replaces_the_first() -> None:
    site = Site(arrived())
    site.statuses = [status(is_open=False, **NEVER), status()]
    assert ask(site)[0] == 503


def test_a_new_telegram_changes_the_answer() -> None:
    site = Site(arrived(energy(1)))
    assert value(site) == "0.0001"
    site.hub.publish(arrived(energy(2)))
    assert value(site) == "0.0002"


def later(sample: Sample, raw: int, after_s: float) -> Sample:
    return Sample(
        arrived(energy(raw)).reading, sample.received_at, sample.monotonic_s + after_s, sample.simulated, sample.source
    )


def test_within_the_readout_interval_the_value_stays() -> None:
    first = arrived(energy(1), age_s=30)
    site = Site(first, readout_interval_s=20)
    assert value(site) == "0.0001"
    site.hub.publish(later(first, 2, after_s=19))
    assert value(site) == "0.0001"
    site.hub.publish(later(first, 3, after_s=20))
    assert value(site) == "0.0003"


def test_the_readout_interval_does_not_prolong_a_stale_value() -> None:
    first = arrived(energy(1), age_s=65)
    site = Site(first, readout_interval_s=3600, stale_after_s=60)
    assert ask(site)[0] == 503
    site.hub.publish(later(first, 2, after_s=64))
    assert value(site) == "0.0002"


def test_the_answer_is_encoded_once_per_telegram() -> None:
    site = Site(arrived())
    messages: list[Message] = []

    async def requests() -> None:
        async def send(message: Message) -> None:
            messages.append(message)

        async def receive() -> Message:
            return {"type": "http.request"}

        for _ in range(2):
            scope = {"type": "http", "method": "GET", "path": PATH, "query_string": b"", "headers": []}
            await site.app(scope, receive, send)

    asyncio.run(requests())
    start, body, start_again, body_again = messages
    assert start is start_again and body is body_again


def test_a_gas_meter_is_never_the_answer() -> None:
    electricity, gas, heat = submeters.p1_samples()
    site = Site(heat, gas, electricity)
    for statuses in ([], [status(meter_id=texts.P1_ID)]):
        site.statuses = statuses
        assert ask(site) == (200, {"time": ANY, "type": 0, "unit": "kWh", "value": Decimal("1999.999"), "derived": ANY})
    assert ask(site, f"?meter={texts.GAS_ID}")[1]["reason"] == "no_total"
    assert ask(site, f"?meter={submeters.HEAT_ID}")[0] == 503
    only_gas = Site(gas)
    only_gas.statuses = []
    assert ask(only_gas)[0] == 503


def test_the_total_of_another_list_is_served_with_its_time_until_it_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    counters, powers = submeters.list_sample(energy(5000), age_s=70), submeters.list_sample(power(321), age_s=0)
    for each in (counters, powers):
        site.hub.publish(each, counters_stale_after_s=100)
    code, answer = ask(site)
    assert (code, answer["value"]) == (200, Decimal("0.5"))
    assert answer["time"] == instant(counters.received_at)
    monkeypatch.setattr(cumulated, "boottime_s", lambda: boottime_s() + 31)
    assert ask(site)[1]["reason"] == "no_total"


def test_a_power_list_keeps_the_total_current_for_longer_than_power() -> None:
    site = Site()
    for each in (submeters.list_sample(energy(5000), age_s=900), submeters.list_sample(power(321), age_s=0)):
        site.hub.publish(each)
    assert ask(site)[0] == 200
    (meter,) = json.loads(site.get("/api/v1/meters").content)["meters"]
    ages = {register["name"]: register["age_s"] for register in meter["registers"]}
    assert 0 <= ages["power"] < DEADLINE_S and 900 <= ages["energy_import"] < 900 + DEADLINE_S
