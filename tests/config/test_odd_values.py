"""Whatever a file, the environment or the command line holds: a configuration, or one sentence about a mistake."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import COMMAND, environment
from iskra_server.config import Config, ConfigError, Key, describe, describe_tables
from iskra_server.config.load import load_with_origins
from iskra_server.runtime.plan import plan_of
from trying import tries

KEYS = describe()
ODD_TEXTS = (
    *("", " ", "\0", "a\0b", "a\nb", "ä" * 100, "x" * 70_000, "..", "a..b", "-", "[::1]", "::1", "999.1.1.1", "\ud800"),
    *("inf", "-inf", "nan", "1e308", "-1", "0", "²", "1" * 400, "~nosuchuser/x", "/dev/full", "/proc/x", "9999-12-31"),
    *(
        "mqtt://a..b",
        "mqtt://u:p@a..b:1",
        "mqtt://pi:0",
        "mqtt://" + "u" * 70_000 + ":p@pi",
        "mqtt://pi/x?y",
        "mqtts://",
    ),
    *("http://a..b:8086", "http://pi:99999", "http://[::1", "http://pi:p@ss:w@rd", "postgresql://u:p@a..b/db"),
    *(
        "postgresql://u:p@pi:99999/db",
        "postgresql://u:p@pi/db%00",
        "postgresql://u:p@[::1/db",
        "sqlite://",
        "mysql://x/y",
    ),
    *(
        "tcp://a..b:1",
        "tcp://" + "x" * 70 + ":1",
        "tcp://pi:65536",
        "rfc2217://a..b:1",
        "esphome://a..b/",
        "COM3",
        "socket://x",
    ),
    *(
        "/dev/ttyUSB0?baud=999999999999",
        "file:",
        "file:x?speed=inf",
        "simulator:",
        "simulator:MT175?rate=nan",
        "simulator:?x",
    ),
    *(
        "simulator:MT175?seed=1e9",
        "simulator:MT175?start=9999-12-31",
        "simulator:MT175?since=0001-01-01",
        "auto",
        "none",
    ),
    *(
        "a/#",
        "a/+/b",
        "$SYS/x",
        "/",
        "a//b",
        "$share/x/y",
        "tenant:Meyer",
        ",",
        "*",
        "Europe/Berlin",
        "../../etc/passwd",
    ),
)
ODD_VALUES: tuple[Any, ...] = (
    *ODD_TEXTS,
    *(True, 0, -1, 1, 2**63, 10**400, 0.5, 5e-324, 1e308, float("inf"), float("-inf"), float("nan")),
    *([], ["x"], [1], {}, {"a": 1}, None),
)
key, text, value = st.sampled_from(KEYS), st.sampled_from(ODD_TEXTS) | st.text(max_size=40), st.sampled_from(ODD_VALUES)


def tried(environ: Mapping[str, str], options: Mapping[str, object], content: bytes | None, folder: Path) -> None:
    """A plan, or one sentence that can be shown."""
    file = None
    if content is not None:
        file = folder / "x.json"
        file.write_bytes(content)
    try:
        config = load_with_origins(environ, file, options).config
        assert isinstance(config, Config)
        plan_of(config)
    except ConfigError as error:
        sentence = str(error)
        assert sentence.isprintable()
        assert sentence.endswith((".", "?")), sentence
        assert len(sentence) < 3_000, sentence


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@tries()
@given(found=st.lists(st.tuples(key | st.sampled_from(describe_tables()), value), max_size=3))
def test_odd_values_in_a_file(found: list[tuple[Key, Any]], folder: Path) -> None:
    content: dict[str, Any] = {}
    for each, odd in found:
        *sections, name = each.path.split(".")
        place = content
        for section in sections:
            place = place[section] if isinstance(place.get(section), dict) else place.setdefault(section, {})
            if not isinstance(place, dict):
                # a value of an earlier key, such as that of feed_in
                return
        place[name] = odd
    for section in ("meters", "contracts", "offers", "tokens"):
        for table in content.get(section, {}).values():
            if isinstance(table, dict) and "windows" in table:
                table["windows"] = [table["windows"]]
        if section in content:
            content[section] = [content[section]]
    try:
        data = msgspec.json.encode(content)
    except (UnicodeEncodeError, OverflowError):
        return
    # JSON knows no infinite numbers, but this parser does not mind large ones
    tried({}, {}, data.replace(b"null", b"1e999"), folder)


@tries()
@given(found=st.dictionaries(st.sampled_from([name for each in KEYS for name in each.variables]), text, max_size=3))
def test_odd_values_in_the_environment(found: dict[str, str], folder: Path) -> None:
    tried(found, {}, None, folder)


@tries()
@given(
    found=st.dictionaries(st.sampled_from([each.path for each in KEYS if each.path != "meters.url"]), value, max_size=2)
)
def test_odd_values_on_the_command_line(found: dict[str, Any], folder: Path) -> None:
    tried({}, found, None, folder)


@pytest.mark.parametrize("each", KEYS, ids=lambda each: each.path)
def test_odd_values_of_each_key(each: Key, folder: Path) -> None:
    # keys that follow one another are of one type: together they get every value; make test-all gives all to each
    values = ODD_VALUES if "TEST_SLOW" in os.environ else ODD_VALUES[KEYS.index(each) % 4 :: 4]
    for odd in values:
        if isinstance(odd, str):
            tried({each.variables[0]: odd}, {}, None, folder)
        else:
            tried({}, {each.path: odd}, None, folder)


@pytest.mark.parametrize(
    "content", [b"\xff", b"\0", b"[[[", b"[server]\nport", b"x" * 100_000, b"[" * 10_000, b'a = "\\u0000"']
)
@pytest.mark.parametrize("name", ["x.toml", "x.json"])
def test_files_that_are_no_configuration(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_with_origins({}, tmp_path / name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 3_000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"IES_SERVER_HOST": "ä" * 100}, "server.host"),
        pytest.param(
            {"IES_DATA_DIR": "~nosuchuser/x"},
            "history.data_dir is ~nosuchuser/x, but there is no such home directory",
            marks=pytest.mark.slow,
        ),
        ({"IES_MQTT_URL": "mqtt://192.168.1..10"}, "outputs.mqtt: the url must be like"),
        pytest.param(
            {"IES_UPLINK_URL": "mqtt://192.168.1..10"}, "uplink: the url must be like", marks=pytest.mark.slow
        ),
        pytest.param(
            {"IES_INFLUX_URL": "http://192.168.1..10"}, "outputs.influx.url cannot be used", marks=pytest.mark.slow
        ),
        ({"IES_DATABASE_URL": "postgresql://u:p@192.168.1..20/db"}, "names the host '192.168.1..20'"),
        pytest.param({"IES_METERS": "tcp://192.168.1..20:2001"}, "must be tcp://HOST:PORT", marks=pytest.mark.slow),
        (
            {"IES_CONTRACTS_BEGINS": "2026-01-01", "IES_CONTRACTS_ENERGY_PRICE": "inf"},
            "must be a number from 0 to 1000000000",
        ),
        pytest.param(
            {"IES_CONTRACTS_BEGINS": "2026-01-01", "IES_CONTRACTS_ENERGY_PRICE": "1e308"},
            "must be a number from 0 to 1000000000",
            marks=pytest.mark.slow,
        ),
        ({"IES_MQTT_BASE_TOPIC": "x" * 66_000}, "is longer than 60000 bytes"),
    ],
)
def test_check_and_serve_end_with_status_2_and_a_sentence(given: dict[str, str], said: str, tmp_path: Path) -> None:
    environ = environment(tmp_path, **{"IES_METERS": "simulator:MT175", "IES_PORT": "1", **given})
    for command in (("config", "check"), ("serve",)):
        done = subprocess.run(
            [COMMAND, *command], capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=60, check=False
        )
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
