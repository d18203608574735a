"""Libraries that others use for real devices, with the real server: pysma-plus, pysunspec2 and pymodbus."""

import re
from collections.abc import Iterator
from struct import pack, unpack
from typing import NamedTuple

import pytest

from clients import ask
from running import Server, free_port, serving, until

pytestmark = pytest.mark.slow

LOOPBACK = "127.0.0.1"


class Asked(NamedTuple):
    server: Server
    port: int

    def is_read(self, energy_kwh: float) -> bool:
        """A float has 24 bits: 4 Wh at 37 MWh; and the counter moves on, ten times as fast."""
        shown_kwh: float = self.server.cumulated().json()["value"]
        return abs(shown_kwh - energy_kwh) < 1


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    """A server with both Modbus devices at one port, and a telegram every 100 ms."""
    port = free_port()
    environ = {
        "IES_EMULATION_HOST": LOOPBACK,
        "IES_SMA_ENERGY_METER_ENABLED": "true",
        "IES_SUNSPEC_ENABLED": "true",
        "IES_SUNSPEC_UNIT": "2",
        "IES_SUNSPEC_PORT": str(port),
        "IES_SHELLY_MODBUS_ENABLED": "true",
        "IES_SHELLY_MODBUS_PORT": str(port),
    }
    with serving("serve", "simulator:MT175?rate=10", environ=environ) as server:
        until(lambda: server.cumulated().status_code == 200)
        yield Asked(server, port)


def test_pysma_plus_finds_and_reads_the_energy_meter(asked: Asked) -> None:
    # the group hears the meters of other tests, too
    found = until(lambda: re.search(r"sends with the serial number (\d+)\.", asked.server.log))
    serial = found[1]
    answer = ask("ask_sma", LOOPBACK, serial)
    device = answer["devices"][serial]
    assert (device["serial"], device["type"], device["sw_version"]) == (serial, 270, "1.2.4.R")
    values = answer["values"]
    assert asked.is_read(values["metering_total_absorbed"])
    drawn_w, fed_w = values["metering_power_absorbed"], values["metering_power_supplied"]
    assert (drawn_w > 0) != (fed_w > 0)
    phases_w = [
        values[f"metering_active_power_draw_l{phase}"] - values[f"metering_active_power_feed_l{phase}"]
        for phase in (1, 2, 3)
    ]
    assert abs(sum(phases_w) - (drawn_w - fed_w)) <= 2


def test_pysunspec2_finds_both_models_and_what_is_not_measured(asked: Asked) -> None:
    models = ask("ask_sunspec", str(asked.port), "2")
    assert list(models) == ["1", "213"]
    who, meter = models["1"], models["213"]
    assert (who["Mn"], who["Md"], who["DA"], len(who["SN"])) == ("Fronius", "Smart Meter 63A", 2, 12)
    # the meter rounds each to a watt
    assert abs(meter["W"] - meter["WphA"] - meter["WphB"] - meter["WphC"]) <= 2
    assert asked.is_read(meter["TotWhImp"] / 1000)
    assert {meter[name] for name in ("A", "PhV", "Hz", "VA", "VAR", "PF", "TotVAhImp", "TotWhImpPhA")} == {None}
    assert meter["Evt"] == 0


def test_pymodbus_reads_the_shelly_and_understands_its_errors(asked: Asked) -> None:
    requests = ("4,7,1162,2", "3,7,1162,2", "4,1,0,14", "3,1,20,1", "3,2,40000,2", "4,2,40000,2", "3,1,40000,2")
    by_input, by_holding, who, illegal_address, sunspec, illegal_function, elsewhere = ask(
        "ask_modbus", str(asked.port), *requests
    )
    for low, high in (by_input, by_holding):
        (import_wh,) = unpack(">f", pack(">HH", high, low))
        assert asked.is_read(import_wh / 1000)
    assert pack(">14H", *who)[12:].rstrip(b"\0") == b"SPEM-003CEBEU"
    assert sunspec == [0x5375, 0x6E53]
    assert (illegal_address, illegal_function, elsewhere) == (2, 1, 2)
