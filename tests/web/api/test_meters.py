from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, structs

from iskra_server.base.clock import boottime_s
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.registers import BY_KEY
from iskra_server.reading.hub import Hub
from iskra_server.web.api.meters import Meter, Meters, show
from samples import METER_ID, SERVER_ID, energy, power
from web.serving import MAKER, Site, arrived, status

OTHER_ID = "1 ISK 00 70000001"


def meters(*samples: Sample, statuses: Any = None) -> Meters:
    site = Site(*samples)
    return Meters(site.hub, lambda: [status()] if statuses is None else statuses)


def shown(*registers: Register, fresh: bool = True) -> Meter:
    return show(arrived(*registers), age_s=0.1, fresh=fresh, stale_after_s=60.0)


def test_a_meter_says_who_it_is() -> None:
    meter = shown(MAKER, energy(107323090), power(1243))
    assert (meter.id, meter.label, meter.server_id) == (METER_ID, METER_ID, SERVER_ID.hex())
    assert (meter.maker, meter.family, meter.protocol) == ("ISK", "MT175/MT681", "sml")
    assert (meter.source, meter.simulated, meter.locked, meter.fresh) == ("/dev/ttyUSB0", False, False, True)


def test_a_locked_meter_is_called_so() -> None:
    assert shown(MAKER, energy(7167, scaler=3)).locked is True


def test_a_number_is_shown_exactly_with_name_label_and_unit() -> None:
    (register,) = shown(energy(107323090)).registers
    assert (register.obis, register.name, register.unit) == ("1-0:1.8.0*255", "energy_import", "Wh")
    assert (register.label, register.label_de) == ("Active energy import, total", "Wirkenergie Bezug gesamt")
    assert bytes(register.value) == b"10732309.0"
    assert register.text is UNSET


def test_bytes_are_shown_in_hex_and_as_text_where_they_are_text() -> None:
    server_id = Register(Obis.parse("1-0:96.1.0"), SERVER_ID)
    values = [(bytes(register.value), register.text) for register in shown(MAKER, server_id).registers]
    assert values == [(b'"49534b"', "ISK"), (f'"{SERVER_ID.hex()}"'.encode(), UNSET)]


def test_a_register_outside_the_table_goes_by_its_code() -> None:
    (register,) = shown(Register(Obis.parse("1-0:199.7.0"), 5, 0)).registers
    assert (register.name, register.label, register.unit) == ("1-0:199.7.0", "1-0:199.7.0", None)


def test_a_derived_value_says_how_it_was_derived_and_others_say_nothing() -> None:
    derived, sent = shown(structs.replace(power(-5), derived="direction from counters"), energy(1)).registers
    assert (derived.derived, sent.derived) == ("direction from counters", UNSET)


def test_keys_signatures_and_missing_values_are_not_shown() -> None:
    key = Register(BY_KEY["public_key"].obis, bytes(range(48)))
    signature = Register(Obis.parse("1-0:199.1.0"), bytes(range(128, 176)))
    absent = Register(Obis.parse("1.8.1"), b"")
    assert shown(key, signature, absent).registers == []


def test_the_status_word_is_explained_for_an_iskra_meter_alone() -> None:
    word = shown(MAKER, energy(1)).status
    assert word is not None and (word.hex, word.generation) == ("0x00000182", "edl")
    other = arrived(energy(1))
    foreign = structs.replace(other, reading=structs.replace(other.reading, server_id=b"\x06EMH\x01\x02\x03"))
    assert show(foreign, age_s=0.1, fresh=True, stale_after_s=60.0).status is None


def test_a_number_that_is_not_fresh_is_not_shown() -> None:
    meter = shown(energy(107323090), fresh=False)
    assert (meter.registers, meter.received_at, meter.status) == ([], None, None)
    assert isinstance(meter.last_seen, str)
    assert b"10732309" not in msgspec.json.encode(meter)


def test_the_age_counts_from_arrival() -> None:
    hub = Hub()
    hub.publish(arrived(energy(1), age_s=7.5))
    meter = Meters(hub, tuple).show(METER_ID, boottime_s())
    assert meter.age_s == pytest.approx(7.5, abs=0.2)
    assert meter.registers[0].age_s == meter.age_s


@pytest.mark.parametrize(
    "name", [METER_ID, "1ISK0012345678", "1isk0012345678", SERVER_ID.hex(), SERVER_ID.hex().upper()]
)
def test_a_meter_answers_to_its_names(name: str) -> None:
    assert meters(arrived()).find(name) == METER_ID


def test_a_meter_does_not_answer_to_half_a_name() -> None:
    assert meters(arrived()).find("1ISK00") is None


def test_meters_stand_in_the_order_of_their_sources() -> None:
    two = meters(arrived(), arrived(meter_id=OTHER_ID), statuses=[status(meter_id=OTHER_ID), status()])
    assert (two.ids(), two.first()) == ([OTHER_ID, METER_ID], OTHER_ID)


def test_another_meter_never_stands_in_for_the_first() -> None:
    assert meters(arrived(), statuses=[status(meter_id=None), status()]).first() is None


def test_a_meter_that_was_never_read_is_known_without_a_number() -> None:
    meter = meters().show(METER_ID, boottime_s())
    assert (meter.fresh, meter.registers, meter.age_s, meter.last_seen) == (False, [], None, None)


def test_json_numbers_survive_an_exact_reader() -> None:
    text = msgspec.json.encode(shown(energy(107323090))).decode()
    assert f'"value":{Decimal("10732309.0")},' in text
