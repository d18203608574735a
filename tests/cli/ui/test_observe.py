"""Meters as the server sees them, without a server; and the server asked where it holds the port."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

import d0meter
from cli.counting import counted
from diagnosis.well import facts
from iskra_server.base.address import Address
from iskra_server.cli.ui.observe import (
    config_with_meters,
    make_readers,
    servers_that_read,
    status_from_server,
    watch_statuses,
)
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import Config, MeterConfig, ServerConfig
from iskra_server.diagnosis.status import run_checks
from iskra_server.simulator.d0_wire import D0Wire
from running import free_port, serving

SIMULATED = Config(meters=(MeterConfig(Address("simulator:MT175?rate=20")), MeterConfig(Address("/dev/ttyNONE"))))


def test_every_meter_is_seen_with_its_chain_and_let_go() -> None:
    made = make_readers(SIMULATED)

    async def look() -> list[str | None]:
        async with aclosing(watch_statuses(made)) as observations:
            async for statuses in observations:
                if all(status.advice.fault != "opening" and status.checks[3].state != "failed" for status in statuses):
                    return [status.failed_check for status in statuses]
        raise AssertionError("observations end by themselves")

    assert asyncio.run(look()) == [None, "device"]
    assert not made[0].source.state.is_open


def test_the_command_line_names_meters_instead_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[[meters]]\nurl = "/dev/ttyUSB0"\n')
    assert [meter.url.reveal() for meter in config_with_meters(file, None).meters] == ["/dev/ttyUSB0"]
    assert [meter.url.reveal() for meter in config_with_meters(file, ["tcp://head:2001"]).meters] == ["tcp://head:2001"]


def test_where_the_server_reads_no_meter_one_is_to_be_named(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[[meters]]\nurl = "none"\n')
    with pytest.raises(UsageError, match="has no meter; name one"):
        config_with_meters(file, None)
    assert [meter.url.reveal() for meter in config_with_meters(file, ["/dev/ttyUSB0"]).meters] == ["/dev/ttyUSB0"]


def test_the_server_is_asked_about_a_port_that_it_holds_and_no_other() -> None:
    with serving("serve", "simulator:MT175") as server:
        configured = ServerConfig(port=int(server.url.rpartition(":")[2]))
        told = asyncio.run(status_from_server(configured, run_checks(facts(source="x", port="simulator:MT175"))))
        auto = asyncio.run(status_from_server(configured, run_checks(facts(source="auto"))))
        other = asyncio.run(
            status_from_server(configured, run_checks(facts(source="/dev/ttyUSB1", port="/dev/ttyUSB1")))
        )
    assert told is not None
    assert auto is not None
    assert told.simulated
    assert (told.port, auto.port, other) == ("simulator:MT175", "simulator:MT175", None)


def test_a_server_is_asked_once_about_all_ports() -> None:
    ports = [
        run_checks(facts(source="x", port="simulator:MT175")),
        run_checks(facts(source="auto")),
        run_checks(facts(source="/dev/ttyNONE", port="/dev/ttyNONE")),
    ]
    with serving("serve", "simulator:MT175") as server, counted(server) as (port, asked):
        found = asyncio.run(servers_that_read(ServerConfig(port=port), ports))
    assert [read and read.status.port for read in found] == ["simulator:MT175", "simulator:MT175", None]
    assert asked == ["/api/v1/status"]


def test_where_no_server_answers_nothing_is_told() -> None:
    assert asyncio.run(status_from_server(ServerConfig(port=free_port()), run_checks(facts()))) is None


def test_of_several_meters_on_a_line_the_server_tells_of_that_with_the_address(tmp_path: Path) -> None:
    meters = [
        d0meter.meter(lines=[f"0.0.0({address})", "1.8.0(1*kWh)"], address=address, start_baud=9600)
        for address in ("7", "8")
    ]
    with d0meter.d0_port(D0Wire(meters, baud=9600)) as path:
        link = tmp_path / "head"
        link.symlink_to(path)
        urls = [f"{path}?protocol=d0&baud=9600&address={address}" for address in ("7", "8")]
        with serving("serve", *urls) as server:
            configured = ServerConfig(port=int(server.url.rpartition(":")[2]))

            def told(port: str) -> str | None:
                status = asyncio.run(status_from_server(configured, run_checks(facts(source=port, port=port))))
                return status.port if status else None

            assert told(f"{link}?address=8") == f"{path}?address=8"
            assert told(str(link)) == f"{path}?address=7"
            assert told(f"{link}?address=9") is None
