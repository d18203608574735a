"""Where a value comes from, and what a person is told who made a mistake."""

import json
import os
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path

import pytest

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import (
    LISTS,
    SECTIONS,
    Config,
    ConfigError,
    Key,
    MeterConfig,
    describe,
    load,
    load_with_origins,
)


def write(folder: Path, text: str, name: str = "iskra-server.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def error_of(environ: Mapping[str, str], path: Path | None = None, options: Mapping[str, object] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_with_origins(environ, path, options)
    return str(caught.value)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a configuration."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_the_configuration_is_optional() -> None:
    config = load({})
    assert config == Config()
    assert config.meters == (MeterConfig(url=Address("auto")),)
    assert (config.server.port, config.server.readout_interval) == (8080, 0.0)


def test_a_file_sets_every_key(tmp_path: Path) -> None:
    text = """
        [server]
        host = "127.0.0.1"
        port = 9000
        readout_interval = 5
        [[meters]]
        url = "/dev/ttyUSB0"
        name = "House"
        stale_after_s = 20
        max_power_w = 41_400
        [[meters]]
        url = "tcp://head:2001"
        [log]
        level = "debug"
        format = "json"
    """
    config = load({}, write(tmp_path, text))
    assert (config.server.host, config.server.port, config.server.readout_interval) == ("127.0.0.1", 9000, 5.0)
    assert config.meters == (
        MeterConfig(Address("/dev/ttyUSB0"), "House", stale_after_s=20.0, max_power_w=41_400),
        MeterConfig(Address("tcp://head:2001")),
    )
    assert (config.log.level, config.log.format) == ("debug", "json")


BROKER = {
    "url": "mqtts://central",
    "password": "secret",
    "base_topic": "fleet/v1",
    "ca_file": "ca.pem",
    "cert_file": "cert.pem",
    "key_file": "key.pem",
}


PRICES = {
    "energy_price": "0.3265",
    "base_fee": "11.9",
    "base_fee_per": "year",
    "grid_fee": "60",
    "grid_fee_per": "month",
    "metering_fee": "25",
    "metering_fee_per": "month",
    "vat_percent": "19",
    "feed_in": "0.0811",
    "name": "Green",
    "meter": "1 ISK 00 12345678",
}


EMULATION = {
    "emulation.meter": "1 ISK 00 12345678",
    "emulation.host": "192.168.1.20",
    "emulation.clients": "192.168.1.30, 10.0.0.0/24",
    "emulation.stale_after_s": "15",
    "emulation.wait_fresh_s": "2",
    "emulation.min_interval_s": "1",
    "emulation.target_w": "30",
    "emulation.dead_band_w": "20",
    "emulation.batteries": "2",
    "ecotracker.port": "8001",
    "shelly_pro_3em.port": "0",
    "shelly_pro_3em.udp_ports": "1010",
    "shelly_pro_3em.name_case": "upper",
    "shelly_pro_3em.typical_values": "False",
    "shelly_em1.model": "em-gen3",
    "shelly_em1.port": "8002",
    "shelly_em1.udp_port": "0",
    "shelly_em1.typical_values": "False",
    "shelly_3em.port": "8003",
    "vzlogger.port": "8004",
    "vzlogger.obis": "True",
    "sma_energy_meter.model": "em2",
    "victron.url": "mqtt://venus",
    "victron.password": "secret",
    "victron.topic": "grid/meter",
    "victron.ca_file": "/etc/ssl/venus.pem",
    "sunspec.port": "8005",
    "sunspec.wait_fresh_s": "1",
    "sunspec.zero_if_missing": "True",
    "sunspec.unit": "2",
    "shelly_modbus.port": "8006",
    "shelly_modbus.wait_fresh_s": "1",
}


@pytest.mark.parametrize("key", [key for key in describe() if key.path != "meters.url"], ids=lambda key: key.path)
def test_every_key_is_a_variable_too(key: Key) -> None:
    values = {
        "prices.zone": "AT",
        "prices.file": "/data/prices.json",
        "prices.energy_charts_url": "http://mirror/energy-charts",
        "prices.smard_url": "http://mirror/smard",
        "prices.awattar_url": "http://mirror/awattar",
        "server.host": "::1",
        "server.port": "81",
        "server.readout_interval": "2.5",
        "server.time_zone": "Europe/Berlin",
        "server.token": "0123456789abcdef",
        "server.allowed_hosts": "meter.example.org,*.example.net",
        "server.tls_cert": "/etc/cert.pem",
        "server.tls_key": "/etc/key.pem",
        "meters.role": "production",
        "meters.production_counter": "import",
        "meters.key": "30313233 34353637 38393A3B 3C3D3E3F",
        "meters.auth_key": "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
        "meters.system_title": "4b464d1020010203",
        "meters.layouts": "/etc/layouts.toml",
        "history.enabled": "False",
        "history.data_dir": "/data",
        "history.database_url": "postgresql://db/iskra",
        "history.database_profile": "citus",
        "history.raw_days": "7",
        "history.flush_s": "30",
        "outputs.mqtt.url": "mqtts://pi",
        "outputs.mqtt.password": "secret",
        "outputs.mqtt.client_id": "cellar",
        "outputs.mqtt.base_topic": "house/7",
        "outputs.mqtt.discovery": "device",
        "outputs.mqtt.discovery_prefix": "ha",
        "outputs.mqtt.language": "de",
        "outputs.mqtt.state_every_s": "2",
        "outputs.mqtt.counters_every_s": "60",
        "outputs.mqtt.ca_file": "ca.pem",
        "outputs.mqtt.cert_file": "cert.pem",
        "outputs.mqtt.key_file": "key.pem",
        **{f"{section}.{key}": value for section in ("uplink", "collect") for key, value in BROKER.items()},
        "uplink.reader": "cellar",
        "uplink.live_every_s": "10",
        "collect.group": "north",
        "collect.http_host": "::1",
        "collect.http_port": "8081",
        "notify.kind": "webhook",
        "notify.url": "http://ha:8123/api/webhook/x",
        "notify.name": "phone",
        "notify.token": "secret",
        "notify.user": "me",
        "notify.password": "secret",
        "notify.sender": "me@example.org",
        "notify.recipients": "you@example.org",
        "notify.ca_file": "/etc/ca.pem",
        "notify.language": "de",
        "notify.events": "silent, weekly",
        "notify.page_url": "http://pi:8080",
        "notify.max_per_day": "5",
        "alerts.silent_after_minutes": "5",
        "alerts.load_above_w": "6000",
        "alerts.load_for_minutes": "30",
        "alerts.base_load_percent": "10",
        "alerts.repeat_after_minutes": "0",
        "alerts.digest_hour": "18",
        "outputs.influx.url": "http://pi:8086",
        "outputs.influx.token": "secret",
        "outputs.influx.user": "meter",
        "outputs.influx.password": "secret",
        "outputs.influx.database": "house",
        "outputs.influx.org": "home",
        "outputs.influx.bucket": "house",
        "outputs.influx.every_s": "0",
        "outputs.influx.flush_s": "60",
        "outputs.influx.spool_mb": "500",
        "virtual.name": "Heat pump",
        "virtual.plus": "Z1",
        "virtual.minus": "Z2, 70347617",
        "virtual.stale_after_s": "5",
        **{f"outputs.{name}": value for name, value in EMULATION.items()},
        **{f"{section}.enabled": "True" for section in SECTIONS if section.startswith("outputs.")},
        "server.announce": "False",
        "server.language": "de",
        "server.ingress_port": "8099",
        "server.ingress_address": "172.30.32.3",
        "outputs.mqtt.use_home_assistant": "False",
        "meters.name": "Flat",
        "meters.stale_after_s": "7",
        "meters.max_power_w": "9000",
        "meters.counters_stale_after_s": "1000",
        "meters.factor": "12.5",
        "contracts.begins": "2025-01-01",
        **{f"{section}.{key}": value for section in ("contracts", "offers") for key, value in PRICES.items()},
        "contracts.instalment": "80",
        "contracts.currency": "CHF",
        "tokens.token": "fedcba9876543210",
        "tokens.groups": "tenant:Meyer, building:7",
        "log.level": "error",
        "log.format": "json",
    }
    loaded = load_with_origins({key.variables[-1]: values[key.path]}, None)
    found = attrgetter(key.section)(loaded.config)
    value = getattr(found[0] if key.section in LISTS else found, key.name)
    assert str(revealed(value)).removesuffix(".0") == values[key.path]


def test_the_variables_of_the_original_project_keep_their_meaning() -> None:
    config = load({"IES_PORT": "18080", "IES_READOUT_INTERVAL": "30"})
    assert (config.server.port, config.server.readout_interval) == (18080, 30.0)


def test_meters_are_listed_with_commas_and_share_the_keys_from_the_environment() -> None:
    config = load({"IES_METERS": "/dev/ttyUSB0, tcp://head:2001", "IES_METERS_STALE_AFTER_S": "9"})
    assert [(meter.url.reveal(), meter.stale_after_s) for meter in config.meters] == [
        ("/dev/ttyUSB0", 9.0),
        ("tcp://head:2001", 9.0),
    ]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("http://admin:a,b@bridge", ["http://admin:a,b@bridge"]),
        ("mqtt://u:p,@broker/meters/x,y , auto", ["mqtt://u:p,@broker/meters/x,y", "auto"]),
        (
            "tcp://a:1,tcp://b:2,simulator:MT175,/dev/ttyUSB0,",
            ["tcp://a:1", "tcp://b:2", "simulator:MT175", "/dev/ttyUSB0"],
        ),
        ("a,b", ["a", "b"]),
    ],
)
def test_a_comma_in_a_url_does_not_end_it(text: str, urls: list[str]) -> None:
    assert [meter.url.reveal() for meter in load({"IES_METERS": text}).meters] == urls


def test_the_meters_of_the_environment_replace_those_of_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, '[[meters]]\nurl = "a"\nname = "A"\n[[meters]]\nurl = "b"')
    assert load({"IES_METERS": "c"}, file).meters == (MeterConfig(Address("c")),)


def test_the_command_line_comes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, '[server]\nhost = "file"\nport = 1\nreadout_interval = 1')
    loaded = load_with_origins({"IES_SERVER_HOST": "variable", "IES_PORT": "2"}, file, {"server.port": 3})
    server = loaded.config.server
    assert (server.host, server.port, server.readout_interval) == ("variable", 3, 1.0)
    assert loaded.origins == {
        "server.host": "IES_SERVER_HOST",
        "server.port": "command line",
        "server.readout_interval": str(file),
    }


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert load({"IES_PORT": "", "IES_METERS": "", "IES_UNHEARD_OF": ""}) == Config()


def test_files_are_looked_for_in_order_and_the_first_one_counts(tmp_path: Path) -> None:
    named = write(tmp_path, "[server]\nport = 1", "named.toml")
    here = write(Path.cwd(), "[server]\nport = 2")
    home = write(tmp_path / ".config/iskra-server", "[server]\nport = 3")
    environ = {"HOME": str(tmp_path)}
    assert load({"IES_CONFIG": str(named), **environ}).server.port == 1
    assert load(environ).server.port == 2
    here.unlink()
    assert load(environ).server.port == 3
    home.unlink()
    assert load(environ).server.port == 8080


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_folder_without_read_permission_holds_no_configuration(tmp_path: Path) -> None:
    write(tmp_path / ".config/iskra-server", "[server]\nport = 3")
    (tmp_path / ".config").chmod(0o700)
    os.seteuid(65_534)
    try:
        assert load({"HOME": str(tmp_path)}).server.port == 8080
    finally:
        os.seteuid(0)


def test_the_file_of_the_add_on_is_json(tmp_path: Path) -> None:
    file = write(tmp_path, '{"server": {"port": 9000}, "meters": [{"url": "auto", "name": "x"}]}', "options.json")
    config = load({}, file)
    assert (config.server.port, config.meters[0].name) == (9000, "x")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nprot = 1", "'server.prot' in {file} is not a key; did you mean server.port?"),
        ("[server]\nkey = '0'", "'server.key' in {file} is not a key; did you mean meters.key?"),
        ("auth_key = '0'", "'auth_key' in {file} is not a section; did you mean meters.auth_key?"),
        ("[sever]\nport = 1", "'sever' in {file} is not a section; did you mean server?"),
        ("[[meters]]\nulr = 'x'", "'meters.1.ulr' in {file} is not a key; did you mean meters.url?"),
        ("[server]\nport = '80'", "server.port in {file} must be a whole number from 1 to 65535, not '80'."),
        ("[server]\nport = 0", "server.port in {file} must be a whole number from 1 to 65535, not 0."),
        ("[server]\nport = true", "server.port in {file} must be a whole number from 1 to 65535, not true."),
        ("[server]\nhost = 1", "server.host in {file} must be text that is not empty, not 1."),
        ("[log]\nlevel = 'loud'", "log.level in {file} must be one of debug, info, warning, error, not 'loud'."),
        (
            "[[meters]]\nstale_after_s = 0",
            "meters.1.stale_after_s in {file} must be a number above 0, at most 86400, not 0.",
        ),
        (
            "[[meters]]\nstale_after_s = nan",
            "meters.1.stale_after_s in {file} must be a number above 0, at most 86400, not nan.",
        ),
        ("server = 1", "'server' in {file} must be a section, written [server]."),
        ("meters = ['x']", "'meters' in {file} must be a list of sections, each written [[meters]]."),
        ("meters = []", "'meters' in {file} lists no meter; without it the meter is found automatically."),
        ("[[meters]]\nurl='x'\n[[meters]]\nurl='x'", "Two meters have the url 'x'; give each meter its own."),
        ("port = =", "The configuration {file} is not valid TOML: Invalid value (at line 1, column 8)."),
    ],
)
def test_an_error_in_a_file_names_key_file_and_expected_value(text: str, sentence: str, tmp_path: Path) -> None:
    file = write(tmp_path, text)
    assert error_of({}, file) == sentence.replace("{file}", str(file))


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"IES_PROT": "1"}, "The variable IES_PROT is not known; did you mean IES_PORT?"),
        ({"IES_PORT": "http"}, "IES_PORT (server.port) must be a whole number from 1 to 65535, not 'http'."),
        (
            {"IES_READOUT_INTERVAL": "-1"},
            "IES_READOUT_INTERVAL (server.readout_interval) must be a number from 0 to 86400, not '-1'.",
        ),
        (
            {"IES_PORT": "1", "IES_SERVER_PORT": "1"},
            "IES_PORT and IES_SERVER_PORT both set server.port; keep one of them.",
        ),
        (
            {"IES_METERS": ","},
            "'meters' in IES_METERS lists no meter; without it the meter is found automatically.",
        ),
        ({"IES_METERS": "a,a"}, "Two meters have the url 'a'; give each meter its own."),
    ],
)
def test_an_error_in_the_environment_names_the_variable(environ: dict[str, str], sentence: str) -> None:
    assert error_of(environ) == sentence


def test_an_error_on_the_command_line_names_the_command_line() -> None:
    assert error_of({}, None, {"log.level": "loud"}).startswith("log.level in command line must be one of debug,")


@pytest.mark.parametrize(("name", "reason"), [("missing.toml", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(name: str, reason: str, tmp_path: Path) -> None:
    assert (
        error_of({"IES_CONFIG": str(tmp_path / name)})
        == f"The configuration {tmp_path / name} cannot be read: {reason}."
    )


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    for name, content, line in (
        ("x.toml", b"\xff\xfe", 1),
        ("x.toml", '[server]\nhost = "Küche"\n'.encode("latin-1"), 2),
        ("x.toml", b"\xef\xbb\xbf[server]\n\xff = 1\n", 2),
        ("options.json", b'{"server":\n{"host": "\xfc"}}', 2),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        assert error_of({}, file) == (
            f"The configuration {file} has a character in line {line} that is not UTF-8; save the file as UTF-8."
        )
    (tmp_path / "options.json").write_text("[]")
    assert "must be an object with the sections server, meters, history, contracts" in error_of(
        {}, tmp_path / "options.json"
    )


def test_the_default_of_every_key_is_valid(tmp_path: Path) -> None:
    lines = [f"[{section}]" if section != "meters" else "[[meters]]" for section in ("server", "meters", "log")]
    for line in lines:
        section = line.strip("[]")
        body = [f"{key.name} = {json.dumps(revealed(key.default))}" for key in describe() if key.section == section]
        assert load({}, write(tmp_path, "\n".join((line, *body)))) == Config()


def test_a_secret_can_be_read_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://iskra:secret@db/iskra\n")
    environ = {"IES_DATABASE_URL_FILE": str(secret)}
    assert load_with_origins(environ).config.history.database_url.reveal() == "postgresql://iskra:secret@db/iskra"
    assert "both set one key" in error_of(environ | {"IES_DATABASE_URL": "postgresql://x/y"})
    assert "cannot be read: No such file" in error_of({"IES_DATABASE_URL_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("variable", [name for key in describe() if key.secret for name in key.variables])
@pytest.mark.parametrize("content", ["", " \n\t\r\n", "\ufeff\n"])
def test_an_empty_file_of_a_secret_is_an_error(tmp_path: Path, variable: str, content: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(content)
    sentence = f"{variable}_FILE names {secret}, which is empty; write the secret into it, or remove the variable."
    assert error_of({f"{variable}_FILE": str(secret)}) == sentence


def test_a_file_of_a_secret_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\xef\xbb\xbf0123456789abcdef\r\n")
    assert load({"IES_SERVER_TOKEN_FILE": str(secret)}).server.token.reveal() == "0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "text"), [("x.toml", "[server]\nport = 81\n"), ("x.json", '{"server": {"port": 81}}')]
)
def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert load({}, tmp_path / name).server.port == 81


def test_a_device_without_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.toml").symlink_to("/dev/zero")
    assert "x.toml cannot be read: File too large" in error_of({}, tmp_path / "x.toml")
    assert "names /dev/zero, which cannot be read: File too large" in error_of({"IES_SERVER_TOKEN_FILE": "/dev/zero"})


def revealed(value: object) -> object:
    return value.reveal() if isinstance(value, Secret) else value


def test_inf_days_keep_all_telegrams() -> None:
    assert load_with_origins({"IES_HISTORY_RAW_DAYS": "inf"}).config.history.raw_days == float("inf")
    assert "must be a number from 0 on" in error_of({"IES_HISTORY_RAW_DAYS": "-1"})
    assert "must be true or false" in error_of({"IES_HISTORY_ENABLED": "perhaps"})


def test_a_number_with_too_many_digits_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "iskra-server.toml"
    file.write_text(f"[server]\nport = {'9' * 5000}\n")
    with pytest.raises(ConfigError, match=r"has too many digits\.$"):
        load({}, file)
