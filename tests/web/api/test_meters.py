import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from msgspec import UNSET, structs

import submeters
import texts
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.registers import BY_KEY
from iskra_server.meter.transformer_factor import apply_factor
from iskra_server.reading.hub import Hub
from iskra_server.web.api.meter_view import Meter, meter_view
from iskra_server.web.api.meters import Meters
from samples import METER_ID, SERVER_ID, energy, power
from web.serving import MAKER, NEVER, ServerStub, Site, arrived, status

OTHER_ID = "1 ISK 00 70000001"


def decoded(site: Site, path: str) -> tuple[int, dict[str, Any]]:
    answer = site.get(path)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, json.loads(answer.content, parse_float=Decimal)


def meters(*samples: Sample, statuses: Any = None) -> Meters:
    site = Site(*samples)
    return Meters(ServerStub(site.hub, lambda: [status()] if statuses is None else statuses))


def shown(*registers: Register, fresh: bool = True) -> Meter:
    return meter_view(arrived(*registers), age_s=0.1, fresh=fresh, stale_after_s=60.0)


def test_a_meter_has_its_identity() -> None:
    meter = shown(MAKER, energy(107323090), power(1243))
    assert (meter.id, meter.label, meter.server_id) == (METER_ID, METER_ID, SERVER_ID.hex())
    assert (meter.maker, meter.family, meter.protocol) == ("ISK", "MT175/MT681", "sml")
    assert (meter.source, meter.simulated, meter.locked, meter.fresh) == ("/dev/ttyUSB0", False, False, True)


def test_a_locked_meter_is_marked() -> None:
    assert shown(MAKER, energy(7167, scaler=3)).locked is True


def test_a_number_is_shown_exactly_with_name_label_and_unit() -> None:
    (register,) = shown(energy(107323090)).registers
    assert (register.obis, register.name, register.unit) == ("1-0:1.8.0*255", "energy_import", "Wh")
    assert (register.label, register.label_de) == ("Energy import", "Zählerstand Bezug")
    assert bytes(register.value) == b"10732309.0"
    assert register.text is UNSET


def test_bytes_are_shown_in_hex_and_as_text_where_they_are_text() -> None:
    server_id = Register(Obis.parse("1-0:96.1.0"), SERVER_ID)
    values = [(bytes(register.value), register.text) for register in shown(MAKER, server_id).registers]
    assert values == [(b'"49534b"', "ISK"), (f'"{SERVER_ID.hex()}"'.encode(), UNSET)]


def test_a_register_outside_the_table_is_named_by_its_code() -> None:
    (register,) = shown(Register(Obis.parse("1-0:199.7.0"), 5, 0)).registers
    assert (register.name, register.label, register.unit) == ("1-0:199.7.0", "1-0:199.7.0", None)


def test_a_number_that_is_coarser_than_its_unit_has_a_resolution() -> None:
    registers = shown(energy(28136, scaler=3), power(5), energy(107323090), Register(MAKER.obis, b"ISK")).registers
    assert [register.resolution for register in registers] == [1000, UNSET, UNSET, UNSET]
    assert bytes(registers[0].value) == b"28136000"


def test_only_a_derived_value_says_how_it_was_derived() -> None:
    derived, sent = shown(structs.replace(power(-5), derived="direction from counters"), energy(1)).registers
    assert (derived.derived, sent.derived) == ("direction from counters", UNSET)


def test_keys_signatures_and_missing_values_are_not_shown() -> None:
    key = Register(BY_KEY["public_key"].obis, bytes(range(48)))
    signature = Register(Obis.parse("1-0:199.1.0"), bytes(range(128, 176)))
    absent = Register(Obis.parse("1.8.1"), b"")
    assert shown(key, signature, absent).registers == []


def test_the_status_word_is_explained_for_iskra_meters_only() -> None:
    word = shown(MAKER, energy(1)).status
    assert word is not None and (word.hex, word.generation) == ("0x00000182", "edl")
    sample = arrived(energy(1))
    foreign = structs.replace(sample, reading=structs.replace(sample.reading, server_id=b"\x06EMH\x01\x02\x03"))
    assert meter_view(foreign, age_s=0.1, fresh=True, stale_after_s=60.0).status is None


def test_a_stale_number_is_not_part_of_a_meter() -> None:
    meter = shown(energy(107323090), fresh=False)
    assert (meter.registers, meter.received_at, meter.status) == ([], None, None)
    assert isinstance(meter.last_seen, str)
    assert b"10732309" not in msgspec.json.encode(meter)


def test_the_age_counts_from_arrival() -> None:
    hub = Hub()
    hub.publish(arrived(energy(1), age_s=7.5))
    meter = Meters(ServerStub(hub)).view(METER_ID)
    assert meter.age_s == pytest.approx(7.5, abs=0.2)
    assert meter.registers[0].age_s == meter.age_s


@pytest.mark.parametrize(
    "name", [METER_ID, "1ISK0012345678", "1isk0012345678", SERVER_ID.hex(), SERVER_ID.hex().upper()]
)
def test_a_meter_is_found_by_its_names(name: str) -> None:
    assert meters(arrived()).find(name) == METER_ID


def test_a_meter_is_not_found_by_half_a_name() -> None:
    assert meters(arrived()).find("1ISK00") is None


def test_meters_have_the_order_of_their_sources() -> None:
    two = meters(arrived(), arrived(meter_id=OTHER_ID), statuses=[status(meter_id=OTHER_ID), status()])
    assert (two.ids(), two.first()) == ([OTHER_ID, METER_ID], OTHER_ID)


def test_the_first_meter_is_that_of_the_first_source() -> None:
    assert meters(arrived(), statuses=[status(meter_id=None), status()]).first() is None


def test_a_meter_that_was_never_read_is_known_without_a_number() -> None:
    meter = meters().view(METER_ID)
    assert (meter.fresh, meter.registers, meter.age_s, meter.last_seen) == (False, [], None, None)


def test_json_numbers_survive_an_exact_reader() -> None:
    text = msgspec.json.encode(shown(energy(107323090))).decode()
    assert f'"value":{Decimal("10732309.0")},' in text


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
def test_one_meter_is_requested_by_any_of_its_names(name: str) -> None:
    code, body = decoded(Site(arrived()), f"/api/v1/meters/{name}")
    assert (code, body["id"]) == (200, METER_ID)


def test_an_unknown_meter_is_404_with_the_known_meters() -> None:
    code, body = decoded(Site(arrived()), "/api/v1/meters/nobody")
    assert (code, body["status"], body["meters"]) == (404, 404, [METER_ID])
    assert "'nobody'" in body["detail"]


def test_a_stale_meter_is_503_with_the_time_it_was_last_seen() -> None:
    code, body = decoded(Site(arrived(age_s=61)), f"/api/v1/meters/{quote(METER_ID)}")
    assert (code, body["reason"], body["last_seen"][-1]) == (503, "stale", "Z")
    assert "registers" not in body


def test_an_unread_meter_is_503_with_the_sentence_of_the_failed_check() -> None:
    site = Site()
    site.statuses = [status(age_s=None)]
    code, body = decoded(site, f"/api/v1/meters/{quote(METER_ID)}")
    assert (code, body["reason"], body["detail"]) == (503, "no_reading", site.statuses[0].sentence)


def test_the_yaml_for_home_assistant_has_the_address_of_the_request_or_of_its_parameter() -> None:
    site = Site(arrived())
    answer = site.get("/api/v1/homeassistant").json()
    assert answer["url"] == "http://test"
    assert 'resource: "http://test/api/electricity/cumulated"' in answer["yaml"]
    assert "1isk0012345678_power" in answer["yaml"]
    assert 'resource: "http://pi:18080/api/v1/' in site.get("/api/v1/homeassistant?url=http://pi:18080/").json()["yaml"]


def test_the_yaml_for_home_assistant_has_names_in_the_language_that_is_asked_for() -> None:
    site = Site(arrived())
    german = site.get("/api/v1/homeassistant?lang=de").json()["yaml"]
    assert 'name: "Stromzähler"' in german
    assert 'name: "Leistung"' in german
    refused = site.get("/api/v1/homeassistant?lang=fr")
    assert (refused.status_code, refused.json()["detail"]) == (400, "'lang=fr' is not allowed; choose en or de.")


def test_an_invalid_address_is_refused() -> None:
    answer = Site().get("/api/v1/homeassistant?url=pi")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_gas_meter_says_what_it_is_and_when_it_was_read() -> None:
    site = Site(*submeters.p1_samples())
    answers = {meter["id"]: meter for meter in site.get("/api/v1/meters").json()["meters"]}
    media = {name: (meter["medium"], meter.get("channel")) for name, meter in answers.items()}
    assert media[texts.P1_ID] == ("electricity", None)
    assert media[texts.GAS_ID] == ("gas", 1)
    assert media[submeters.HEAT_ID] == ("heat", 2)
    (gas,) = (register for register in answers[texts.GAS_ID]["registers"] if register["unit"])
    assert (gas["name"], gas["value"], gas["unit"], gas["time"]) == (
        "mbus1_reading",
        1569.646,
        "m³",
        "2026-11-22T09:00:10Z",
    )


def test_a_transformer_factor_is_part_of_the_answer() -> None:
    sample = arrived(energy(5000))
    content = structs.replace(sample, reading=apply_factor(sample.reading, Decimal("12.5")), factor=Decimal("12.5"))
    (meter,) = Site(content).get("/api/v1/meters").json()["meters"]
    assert meter["factor"] == 12.5
    assert (meter["registers"][0]["value"], meter["registers"][0]["derived"]) == (6250, "factor 12.5")
    (plain,) = Site(sample).get("/api/v1/meters").json()["meters"]
    assert "factor" not in plain and "channel" not in plain
