"""Metrics as Prometheus reads them: with its linter, and with a real Prometheus that scrapes the real server."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

import submeters
import telegrams
import texts
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import FaultKind, Register
from iskra_server.meter.units import Unit
from iskra_server.outputs.state import OutputClient, OutputState
from iskra_server.reading.hub import Hub
from iskra_server.web.app import create_app
from iskra_server.web.http.settings import WebSettings
from iskra_server.web.metrics.exposition import OPEN_METRICS, TEXT, Family
from iskra_server.web.metrics.metrics import HISTORY, METERS, OUTPUTS, SOURCES, all_families
from running import Head, Server, repeating, serving, until
from samples import EXPORT, energy, power
from web.scraping import Scraper, scraping
from web.serving import MAKER, ServerStub, Site, arrived, status, writing

_SERIES = re.compile(r"(\w+)(?:{(.*)})? (\S+)")
PROMTOOL = shutil.which("promtool")


def scraped(site: Site, accept: str = "text/plain") -> dict[str, str]:
    """All series of a scrape, with the text of their values."""
    lines = site.get("/metrics", accept=accept).text.splitlines()
    series = [_SERIES.fullmatch(line) for line in lines if not line.startswith("#")]
    return {f"{match[1]}{{{match[2] or ''}}}": match[3] for match in series if match}


def named(site: Site, name: str) -> dict[str, str]:
    """The series of one metric by its labels."""
    return {key.partition("{")[2][:-1]: value for key, value in scraped(site).items() if key.startswith(f"{name}{{")}


METER = 'meter="1 ISK 00 12345678"'


def test_counters_are_counters_and_exact() -> None:
    site = Site(arrived(energy(123456789012345670), energy(20, 3, EXPORT)))
    assert named(site, "iskra_energy_watthours_total") == {
        f'{METER},obis="1-0:1.8.0",name="energy_import"': "12345678901234567.0",
        f'{METER},obis="1-0:2.8.0",name="energy_export"': "20000",
    }


def test_other_registers_are_gauges_by_unit() -> None:
    net = Register(Obis.parse("16.8.0"), -5, 0, Unit(30))
    factor = Register(Obis.parse("13.7.0"), 98, -2)
    strange = Register(Obis.parse("1-0:99.7.0"), 4, 0, Unit(23))
    site = Site(arrived(power(-321), net, factor, strange))
    assert named(site, "iskra_power_watts") == {f'{METER},obis="1-0:16.7.0",name="power"': "-321"}
    assert list(named(site, "iskra_energy_balance_watthours").values()) == ["-5"]
    assert named(site, "iskra_register_value") == {
        f'{METER},obis="1-0:13.7.0",name="power_factor"': "0.98",
        f'{METER},obis="1-0:99.7.0",name="1-0:99.7.0",unit="Pa"': "4",
    }


def test_a_stale_meter_has_its_age_and_no_reading() -> None:
    site = Site(arrived(age_s=61))
    series = scraped(site)
    assert not any("obis" in key for key in series)
    assert series[f"iskra_meter_up{{{METER}}}"] == "0"
    assert 61 <= float(series[f"iskra_meter_age_seconds{{{METER}}}"]) < 70


def test_before_the_first_telegram_there_is_no_meter_and_the_source_says_why() -> None:
    site = Site()
    site.statuses = [status(is_open=False, byte_count=0, data_age_s=None)]
    series = scraped(site)
    assert not any(key.startswith(("iskra_meter", "iskra_energy", "iskra_power")) for key in series)
    assert (series['iskra_source_up{source="auto"}'], series['iskra_source_open{source="auto"}']) == ("0", "0")
    assert 'iskra_source_data_age_seconds{source="auto"}' not in series


def test_every_series_of_a_simulated_meter_has_the_label() -> None:
    series = scraped(Site(arrived(simulated=True)))
    assert {key for key in series if METER in key and 'simulated="true"' not in key} == set()


def test_keys_and_texts_have_no_series() -> None:
    key = Register(Obis.parse("129-129:199.130.5"), bytes(range(48)))
    assert "199.130" not in Site(arrived(MAKER, key, energy(1))).get("/metrics").text


def test_checks_are_1_or_0_and_unknown_ones_have_no_number() -> None:
    site = Site(arrived())
    site.statuses = [status(is_open=False, problem="busy_unknown")]
    assert named(site, "iskra_source_check") == {
        'source="auto",check="device"': "1",
        'source="auto",check="permission"': "1",
        'source="auto",check="port"': "0",
    }


def test_every_kind_of_fault_has_a_counter_from_the_start() -> None:
    site = Site()
    site.statuses = [status(faults={"checksum": 3, "noise": 2})]
    series = named(site, "iskra_source_faults_total")
    assert series['source="auto",kind="checksum"'] == "3"
    assert series['source="auto",kind="message_checksum"'] == "0"
    assert len(series) == len(get_args(FaultKind))


def test_dropped_readings_stay_counted_after_the_subscriber_is_gone() -> None:
    site = Site()
    with site.hub.subscribe("slow", 1):
        for _ in range(3):
            site.hub.publish(arrived())
    assert named(site, "iskra_hub_dropped_readings_total") == {'subscriber="slow"': "2"}
    assert named(Site(dropped_log_lines=lambda: 7), "iskra_log_dropped_lines_total") == {"": "7"}


def test_every_output_has_its_state() -> None:
    state = OutputState("influx", ok=False, sentence="It is away.", delivered=5, waiting=3, refused=1)
    site = Site()
    site.app = create_app(WebSettings("1"), ServerStub(output_states=lambda: [state]))
    series = scraped(site)
    assert series['iskra_output_up{output="influx"}'] == "0"
    assert series['iskra_output_delivered_points_total{output="influx"}'] == "5"
    assert series['iskra_output_pending_points{output="influx"}'] == "3"
    # of emulated devices alone
    assert 'iskra_output_requests_total{output="influx"}' not in series
    assert 'iskra_output_clients{output="influx"}' not in series


def test_an_emulated_device_has_its_requests_and_the_age_of_its_answers_and_names_no_client() -> None:
    asked = [
        OutputClient(f"192.168.1.{number}", 9, 8, datetime.now(UTC), 2.0, 0.25, number / 10) for number in range(1, 40)
    ]
    state = OutputState("ecotracker", ok=True, delivered=8, requests=9, answer_ages_s=2.125, clients=tuple(asked))
    site = Site()
    site.app = create_app(WebSettings("1"), ServerStub(output_states=lambda: [state]))
    text = site.get("/metrics").text
    series = scraped(site)
    assert series['iskra_output_requests_total{output="ecotracker"}'] == "9"
    assert series['iskra_output_delivered_points_total{output="ecotracker"}'] == "8"
    assert series['iskra_output_answer_age_seconds_total{output="ecotracker"}'] == "2.125"
    assert series['iskra_output_max_answer_age_seconds{output="ecotracker"}'] == "3.9"
    assert series['iskra_output_clients{output="ecotracker"}'] == "39"
    assert "192.168" not in text


def test_the_media_type_follows_the_accept_header_and_caches_know_it() -> None:
    plain, open_metrics = (Site().get("/metrics", accept=form) for form in ("*/*", OPEN_METRICS))
    assert (plain.headers["content-type"], open_metrics.headers["content-type"]) == (TEXT, OPEN_METRICS)
    assert (plain.headers["vary"], plain.headers["cache-control"]) == ("accept", "no-store")
    assert open_metrics.text.endswith("# EOF\n")


UNITS = {"seconds", "bytes", "watthours", "varhours", "voltamperehours", "watts", "vars", "voltamperes", "amperes",
         "volts", "hertz", "degrees"}  # fmt: skip


def test_names_follow_the_conventions_of_prometheus() -> None:
    """https://prometheus.io/docs/practices/naming: lower case, and a unit as plural at the end, which is declared."""
    server = ServerStub(
        Hub(), lambda: [status()], history_state=writing, output_states=lambda: [OutputState("x", ok=True)]
    )
    server.hub.publish(arrived())

    async def collect() -> list[Family]:
        return list(all_families(server, "1"))

    families = asyncio.run(collect())
    rows = sum(map(len, (METERS, SOURCES, HISTORY, OUTPUTS)))
    assert len(families) > rows
    for family in families:
        assert re.fullmatch(r"(iskra|process)(_[a-z]+)+", family.name), family.name
        assert family.unit == (last if (last := family.name.rpartition("_")[2]) in UNITS else ""), family.name
        assert not family.name.endswith(("_total", "_count", "_octets")), family.name
        assert family.help.endswith(".") and "\n" not in family.help


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed: apt-get install prometheus")
def test_promtool_accepts_the_metrics(tmp_path: Path) -> None:
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path), "IES_INFLUX_URL": "http://127.0.0.1:1"}
    with serving("serve", "simulator:MT175", environ=environ) as server:
        until(lambda: "iskra_power_watts" in server.get("/metrics").text)
        text = server.get("/metrics").content
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    made = Head(tmp_path / "usb-infrared-head")
    yield made
    made.unplug()


@pytest.fixture
def server(head: Head) -> Iterator[Server]:
    with serving("serve", str(head.link), environ={"IES_METERS_STALE_AFTER_S": "2"}) as running:
        until(lambda: running.status()["facts"]["is_open"])
        yield running


@pytest.fixture
def scraper(server: Server, tmp_path: Path) -> Iterator[Scraper]:
    with scraping(server, tmp_path / "prometheus") as scraper:
        yield scraper


def test_a_real_prometheus_reads_the_meter_and_nothing_when_it_is_stale(head: Head, scraper: Scraper) -> None:
    with repeating(head, telegrams.telegram(telegrams.meter_entries(energy=1234567891, power=-321))):
        energies = until(lambda: scraper.values("iskra_energy_watthours_total"))
        assert Decimal(energies["energy_import"]) == Decimal("123456789.1")
        assert until(lambda: scraper.values("iskra_power_watts")) == {"power": "-321"}
    (target,) = scraper.targets()
    assert (target["health"], target["lastError"]) == ("up", "")
    until(lambda: not scraper.values("iskra_energy_watthours_total or iskra_power_watts"))
    assert scraper.values("iskra_meter_up") == {"": "0"}
    assert float(scraper.values("iskra_meter_age_seconds")[""]) > 2


def test_the_tasks_of_the_server_are_counted() -> None:
    text = Site(arrived()).get("/metrics").text
    assert int(re.findall(r"^iskra_server_tasks (\d+)$", text, re.MULTILINE)[0]) >= 1


def test_gas_and_heat_are_no_electricity() -> None:
    site = Site(*submeters.p1_samples())
    assert set(named(site, "iskra_volume_cubic_meters_total").values()) == {"1569.646"}
    assert set(named(site, "iskra_heat_joules_total").values()) == {"12345000000"}
    assert all(texts.P1_ID in series for series in named(site, "iskra_energy_watthours_total"))


def test_a_scrape_has_the_registers_of_all_lists_that_are_current() -> None:
    site = Site()
    lists = submeters.list_sample(energy(5000), age_s=900), submeters.list_sample(power(321), age_s=0)
    for each in lists:
        site.hub.publish(each)
    assert set(named(site, "iskra_energy_watthours_total").values()) == {"500.0"}
    site.hub.publish(submeters.list_sample(power(322), age_s=0), counters_stale_after_s=60)
    assert set(named(site, "iskra_power_watts").values()) == {"322"}
