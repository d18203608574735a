"""What a user is told of a device whose port is open."""

from collections.abc import Iterator
from decimal import Decimal
from math import inf

import pytest
from msgspec.structs import replace

from emulating import CLIENT, MAC, GridMeter
from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.outputs.emulation import device
from iskra_server.outputs.emulation.clients import Clients, Rules, networks
from iskra_server.outputs.emulation.device import EmulatedDevice, SendingDevice
from iskra_server.outputs.emulation.device_notices import START_S, UNASKED_S, device_notices
from iskra_server.outputs.emulation.grid import Grid, configured_meter
from iskra_server.outputs.emulation.shelly_modbus import ShellyModbus
from samples import EXPORT, energy, power, sample


def told(meter: GridMeter, rules: Rules | None = None, unasked_s: float | None = None) -> list[Advice]:
    return list(device_notices(meter.clients(rules), unasked_s))


def faults(meter: GridMeter, rules: Rules | None = None, unasked_s: float | None = None) -> list[str]:
    return [advice.fault for advice in told(meter, rules, unasked_s)]


def sent_every(seconds: float) -> GridMeter:
    """A meter that has sent ten telegrams."""
    meter = GridMeter()
    for number in range(10):
        meter.send(energy(123_456_789), energy(12_345, obis=EXPORT), power(300), age_s=(9 - number) * seconds)
    return meter


def test_a_meter_with_both_directions_that_sends_often_needs_no_notice() -> None:
    assert faults(sent_every(1)) == []
    assert faults(GridMeter(), unasked_s=1) == []


@pytest.mark.parametrize(("unasked_s", "expected"), [(599.0, []), (600.0, ["nothing_asks"]), (None, [])])
def test_nothing_asks_for_ten_minutes(unasked_s: float | None, expected: list[str]) -> None:
    assert faults(sent_every(1), unasked_s=unasked_s) == expected
    assert UNASKED_S == 600


def test_a_meter_that_counts_import_only_is_told_unless_a_target_is_set() -> None:
    meter = GridMeter()
    meter.send(energy(123_456_789), power(300))
    assert faults(meter) == ["shows_import_only"]
    assert faults(meter, Rules(target_w=Decimal(30))) == []
    # its own diagnosis says so
    assert faults(meter, Rules(for_batteries=False)) == []


def test_a_meter_without_power_makes_the_device_silent() -> None:
    meter = GridMeter()
    meter.send(energy(123_456_789))
    assert faults(meter) == ["shows_no_power"]
    assert meter.grid.newest() is None


def test_the_meter_of_a_solar_plant_is_none_to_follow() -> None:
    meter = GridMeter()
    meter.hub.publish(sample(energy(123_456_789), energy(12_345, obis=EXPORT), power(-300)), is_production=True)
    assert faults(meter) == faults(meter, Rules(for_batteries=False)) == ["shows_production"]


def test_a_name_that_no_meter_has_is_told_as_soon_as_another_one_is_read() -> None:
    meter = GridMeter()
    asked = Clients(Grid(meter.hub, configured_meter("Hous", meter.hub, list), 10.0), Rules())
    assert list(device_notices(asked, None)) == []
    meter.send(energy(123_456_789), power(300))
    assert [notice.fault for notice in device_notices(asked, None)] == ["shows_no_meter"]
    # the other one may be found later
    assert list(device_notices(asked, None, None, START_S - 1)) == []


@pytest.mark.parametrize(("seconds", "expected"), [(8, []), (10, ["shows_seldom"]), (30, ["shows_seldom"])])
def test_a_meter_that_sends_seldom_leaves_gaps(seconds: float, expected: list[str]) -> None:
    assert faults(sent_every(seconds)) == expected


def test_the_proposed_limit_ends_the_notice() -> None:
    (advice,) = told(sent_every(30))
    assert advice.en.next_step == "Set outputs.emulation.stale_after_s to 75."
    assert "alle 30 s" in advice.de.sentence
    patient = sent_every(30)
    patient.grid.stale_after_s = 75
    assert faults(patient) == []


def test_a_simulated_meter_is_told() -> None:
    meter = sent_every(1)
    newest = sample(energy(123_456_789), energy(12_345, obis=EXPORT), power(300))
    meter.hub.publish(replace(newest, simulated=True, monotonic_s=boottime_s()))
    assert faults(meter) == ["shows_simulated"]


def test_a_network_of_containers_alone_is_told_until_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "bridge_warning", lambda: advise("bridge_only"))
    made = EmulatedDevice("ecotracker", GridMeter().clients())
    assert made.state().notices == ()
    made.recovered()
    assert [notice.fault for notice in made.state().notices] == ["bridge_only"]
    made.clients.may_ask(CLIENT)
    assert made.state().notices == ()
    # a broker is reached from there
    made.is_local = False
    made.failed("It is away.")
    made.recovered()
    assert made.state().notices == ()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time that the device reads, in a list."""
    now_s = [1000.0]
    # this may be a container
    monkeypatch.setattr(device, "bridge_warning", lambda: None)
    for module in (device, "iskra_server.outputs.emulation.clients"):
        monkeypatch.setattr(f"{getattr(module, '__name__', module)}.boottime_s", lambda: now_s[0])
    yield now_s


def test_ten_minutes_begin_with_the_open_port_and_with_each_request(clock: list[float]) -> None:
    made = EmulatedDevice("ecotracker", GridMeter().clients(Rules(networks("192.168.1.0/24"))))
    clock[0] += 3600
    assert made.state().notices == ()
    made.recovered()
    clock[0] += 599
    assert made.state().notices == ()
    clock[0] += 1
    # the port that was opened a second time, for datagrams, does not count
    made.recovered()
    assert [notice.fault for notice in made.state().notices] == ["nothing_asks"]
    # one that may not ask does not count
    made.clients.may_ask("10.0.0.7")
    assert len(made.state().notices) == 1
    made.clients.may_ask(CLIENT)
    assert (made.state().notices, made.state().requests) == ((), 1)
    clock[0] += 600
    assert len(made.state().notices) == 1
    made.failed("TCP port 80 is taken.")
    assert made.state().notices == ()


def test_a_device_that_sends_unasked_waits_for_nobody(clock: list[float]) -> None:
    made = SendingDevice("sma", GridMeter().clients())
    made.recovered()
    clock[0] += 3600
    assert (made.state().notices, made.state().requests) == ((), None)
    assert made.clients.asked_s == -inf


def test_a_shelly_by_modbus_alone_is_not_found_by_a_battery() -> None:
    """Until something asks: a program that was given the address."""
    clients = sent_every(1).clients()
    for is_alone, expected in ((True, ["modbus_alone"]), (False, [])):
        shelly = ShellyModbus(clients, lambda: MAC, typical=True, is_alone=is_alone)
        assert shelly.state().notices == ()
        shelly.recovered()
        assert [advice.fault for advice in shelly.state().notices] == expected
    assert clients.may_ask(CLIENT)
    shelly = ShellyModbus(clients, lambda: MAC, typical=True, is_alone=True)
    shelly.recovered()
    assert shelly.state().notices == ()
