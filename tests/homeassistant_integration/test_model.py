"""The answers of the real server, as the integration reads them."""

import msgspec
import pytest

from homeassistant_integration.pure import module
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import unit_named
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.reading.virtual_readings import VirtualReadings
from iskra_server.web.api.status import ServerIdentity, server_status
from samples import METER_ID, energy, power
from web.serving import NEVER, Site, arrived, status

model = module("model")
WATT_HOUR = unit_named("Wh")


def meter_of(site: Site) -> object:
    """The only meter that the server lists."""
    (meter,) = model.meters_from(model.decode(site.get("/api/v1/meters").content))
    return meter


def states(*registers: Register) -> dict[str, tuple[str, str | None, int | None]]:
    meter = meter_of(Site(arrived(*registers)))
    return {name: (item.state, item.unit, item.places) for name, item in meter.registers.items()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("raw", "scaler", "state", "places"),
    [
        (107323090, -1, "10732.3090", 4),
        (0, -1, "0.0000", 4),
        # Decimal prints it as 0E-8
        (0, -5, "0.00000000", 8),
        (1, -5, "0.00000001", 8),
        (12345, 0, "12.345", 3),
        # a locked meter counts whole kWh
        (12345, 3, "12345", 0),
        (12345, 2, "1234.5", 1),
        (12, 4, "120", 0),
        (12345678901234567890, -4, "1234567890123.4567890", 7),
    ],
)
def test_energy_has_every_digit_of_the_meter_in_kwh(raw: int, scaler: int, state: str, places: int) -> None:
    register = Register(Obis.parse("1-0:1.8.0"), raw, scaler, WATT_HOUR)
    assert states(register) == {"energy_import": (state, "kWh", places)}


def test_other_numbers_have_the_unit_of_the_meter() -> None:
    voltage = Register(Obis.parse("1-0:32.7.0"), 2301, -1, unit_named("V"))
    assert states(voltage) == {"voltage_l1": ("230.1", "V", 1)}


@pytest.mark.parametrize(("watts", "halves"), [(1243, ("1243", "0")), (-1243, ("0", "1243")), (0, ("0", "0"))])
def test_a_power_with_a_sign_also_has_two_halves_that_are_never_below_zero(watts: int, halves: tuple[str, str]) -> None:
    shown = states(power(watts))
    assert shown["power"][0] == str(watts)
    assert (shown["power_import"][0], shown["power_export"][0]) == halves
    assert {unit for _, unit, _ in shown.values()} == {"W"}


def test_halves_that_the_meter_sends_are_as_sent() -> None:
    sent = Register(Obis.parse("1-0:1.7.0"), 1250, 0, unit_named("W"))
    assert states(power(1243), sent)["power_import"][0] == "1250"


def test_text_is_text() -> None:
    shown = states(Register(Obis.parse("129-129:199.130.3"), b"ISK"), energy(1))
    assert shown["manufacturer"] == ("ISK", None, None)


def test_a_meter_without_a_current_reading_has_no_register_but_the_time_of_its_last() -> None:
    meter = meter_of(Site(arrived(age_s=90)))
    assert (meter.registers, meter.id) == ({}, METER_ID)  # type: ignore[attr-defined]
    assert meter.last_seen.utcoffset().total_seconds() == 0  # type: ignore[attr-defined]
    assert meter.age_s >= 90  # type: ignore[attr-defined]


def test_the_diagnosis_has_its_sentences_in_both_languages() -> None:
    site = Site(arrived())
    site.statuses = [status(), status(source="tcp://x:1", port="tcp://x:1", is_open=False, **NEVER)]
    server = model.server_from(model.decode(site.get("/api/v1/status").content))
    first, second = server.sources
    assert (first.ok, first.failed_checks, first.fault, first.meter_id) == (True, (), "well", METER_ID)
    assert (second.ok, second.failed_checks) == (False, ("port",))
    assert second.words["en"].sentence != second.words["de"].sentence != ""
    assert server.failures == ()
    assert server.meter_ids == {METER_ID, None}


def test_the_server_tells_its_id_and_what_it_cannot_write() -> None:
    outputs = [OutputState("influx", ok=False, sentence="It is away.", waiting=3)]
    answer = server_status([status()], "It is full.", outputs, server=ServerIdentity("ab" * 16, "1.2.3"))
    server = model.server_from(model.decode(msgspec.json.encode(answer)))
    assert (server.id, server.version) == ("ab" * 16, "1.2.3")
    assert server.failures == ("It is full.", "It is away.")


def test_a_meter_that_no_source_reads_is_not_present() -> None:
    site = Site(arrived(age_s=90))
    meters = tuple(model.meters_from(model.decode(site.get("/api/v1/meters").content)))

    def present(*statuses: object) -> int:
        server = model.server_from(model.decode(msgspec.json.encode(server_status(statuses, ""))))  # type: ignore[arg-type]
        return len(model.Snapshot(server, meters).present)

    assert present(status()) == 1
    assert present(status(meter_id="1 ISK 00 99999999")) == 0
    assert present(status(meter_id="1 ISK 00 99999999", sub_meters=(METER_ID,))) == 1


def test_a_virtual_meter_without_a_current_value_is_present() -> None:
    hub = Hub()
    readings = VirtualReadings(hub, lambda: [VirtualMeter("Heat pump", (MeterPart(METER_ID, 1),))])
    site = Site(hub=hub, virtual_states=readings.states)
    server = model.server_from(model.decode(site.get("/api/v1/status").content))
    meters = tuple(model.meters_from(model.decode(site.get("/api/v1/meters").content)))
    assert server.virtual == ("Heat pump",)
    assert [meter.id for meter in model.Snapshot(server, meters).present] == [METER_ID, "Heat pump"]


@pytest.mark.parametrize("answer", ["{}", '{"meters":[{}]}', '{"meters":3}', "[]", '{"meters":[{"registers":[{}]}]}'])
def test_an_answer_of_another_program_is_an_error_that_the_client_expects(answer: str) -> None:
    for parse in (model.meters_from, model.server_from):
        with pytest.raises(model.UNREADABLE):
            parse(model.decode(answer))


@pytest.mark.parametrize(
    "answer",
    [
        '{"value": NaN}',
        '{"value": -Infinity}',
        '{"value": 1e999999999, "unit": "W"}',
        '{"value": 1e99999999999999999999, "unit": "W"}',
        '{"value": 1e-99999, "unit": "Wh"}',
        '{"value": 12345678901234567890123.4, "unit": "W", "resolution": 1e-9}',
        '{"value": 1, "resolution": "x"}',
        '{"value": 1, "unit": ["W"]}',
        "[" * 100_000,
    ],
)
def test_a_value_that_is_no_number_of_a_meter_is_an_error_that_the_client_expects(answer: str) -> None:
    with pytest.raises(model.UNREADABLE):
        model.register_from({"name": "n", "obis": "o", "label": "l", "label_de": "l"} | model.decode(answer))
