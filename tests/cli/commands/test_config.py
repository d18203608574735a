"""`config check` and `config show`."""

import json
import tomllib
from pathlib import Path

import pytest

from command import Run
from iskra_server.config import describe


def test_check_says_that_nothing_is_needed(run: Run) -> None:
    done = run("config", "check")
    assert (done.returncode, done.stdout) == (
        0,
        "The configuration (without a file) is valid: auto; port 8080.\n",
    )


def test_check_names_the_file_and_the_meters(run: Run, tmp_path: Path) -> None:
    (tmp_path / "iskra-server.toml").write_text('[[meters]]\nurl = "tcp://head:2001"\n[[meters]]\nurl = "/dev/x"\n')
    assert run("config", "check").stdout == (
        "The configuration iskra-server.toml is valid: tcp://head:2001, /dev/x; port 8080.\n"
    )


def test_show_has_every_key_its_value_its_origin_and_what_it_means(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('[log]\nlevel = "error"\n')
    shown = run(
        "config",
        "show",
        "--config",
        "x.toml",
        IES_PORT="9000",
        IES_METERS="tcp://head:1",
        IES_METERS_NAME="Z1",
        IES_VIRTUAL_NAME="Rest",
        IES_VIRTUAL_PLUS="Z1",
        IES_CONTRACTS_NAME="Green",
        IES_OFFERS_NAME="Blue",
        IES_NOTIFY_NAME="phone",
        IES_TOKENS_GROUPS="building:7",
    ).stdout
    for key in describe():
        assert f"# {key.description}\n{key.name} = " in shown
    assert "port = 9000  # IES_PORT\n" in shown
    assert 'level = "error"  # x.toml\n' in shown
    assert 'host = "0.0.0.0"  # default\n' in shown


def test_what_show_prints_is_a_configuration(run: Run, tmp_path: Path) -> None:
    url = "tcp://h:1"
    shown = run("config", "show", IES_METERS=f"{url},/dev/ß-\u2028", IES_METERS_NAME='the "big" \\ one')
    (tmp_path / "iskra-server.toml").write_text(shown.stdout)
    again = run("config", "show")
    assert tomllib.loads(again.stdout) == tomllib.loads(shown.stdout)

    assert tomllib.loads(again.stdout)["meters"][0] == {
        "url": url,
        "name": 'the "big" \\ one',
        "role": "grid",
        "production_counter": "export",
        "stale_after_s": 60.0,
        "max_power_w": 69000,
        "counters_stale_after_s": 4500.0,
        "factor": 1.0,
        **dict.fromkeys(("key", "auth_key", "system_title", "layouts"), ""),
    }


def test_the_tables_of_a_contract_are_shown_as_they_are_written(run: Run, tmp_path: Path) -> None:
    written = {
        "contracts": [
            {
                "vat_percent": 19,
                "energy": {"kind": "registers", "prices": {"1.8.1": 0.21, "1.8.2": 0.17}},
                "levies": {"tax": 0.0205, "2026": {"kwkg": 0.00446}},
                "feed_in": {"price": 0.08},
            },
            {
                "begins": "2026-01-01",
                "vat_percent": 19,
                "energy": {"kind": "spot", "zone": "AT", "percent_negative": -3},
                "grid": {"kind": "windows", "windows": [{"name": "HT", "from": "17:00", "to": "20:00", "price": 0.2}]},
                "feed_in": 0.08,
            },
        ]
    }
    (tmp_path / "x.json").write_text(json.dumps(written))
    shown = run("config", "show", "--config", "x.json").stdout
    first, second = tomllib.loads(shown)["contracts"]
    assert (first["energy"]["kind"], first["energy"]["prices"]) == ("registers", {"1.8.1": 0.21, "1.8.2": 0.17})
    assert (first["levies"], first["feed_in"]["price"]) == ({"tax": 0.0205, "2026": {"kwkg": 0.00446}}, 0.08)
    assert (second["energy"]["percent_negative"], second["feed_in"]) == (-3.0, 0.08)
    assert second["grid"]["windows"][0]["from"] == "17:00"
    # and it is a configuration
    (tmp_path / "iskra-server.toml").write_text(shown)
    assert tomllib.loads(run("config", "show").stdout) == tomllib.loads(shown)


def test_a_password_in_a_url_is_not_shown(run: Run) -> None:
    for command in ("show", "check"):
        shown = run("config", command, IES_METERS="tcp://admin:geheim@bridge:2001").stdout
        assert "tcp://admin:***@bridge:2001" in shown
        assert "geheim" not in shown


def test_the_secrets_of_an_output_are_not_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("geheim://x@y\n")
    shown = run("config", "show", IES_MQTT_URL="mqtt://me:geheim@pi", IES_MQTT_PASSWORD_FILE="secret").stdout
    assert 'url = "mqtt://me:***@pi"  # IES_MQTT_URL\n' in shown
    assert 'password = "***"  # IES_MQTT_PASSWORD\n' in shown
    assert "geheim" not in shown


def test_the_section_of_an_output_is_nested(run: Run, tmp_path: Path) -> None:
    (tmp_path / "iskra-server.toml").write_text('[outputs.mqtt]\nurl = "mqtts://pi"\nlanguage = "de"\n')
    shown = tomllib.loads(run("config", "show").stdout)["outputs"]["mqtt"]
    assert (shown["url"], shown["language"], shown["discovery"]) == ("mqtts://pi", "de", "classic")


def test_check_looks_at_contracts_together(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[[contracts]]\n[[contracts]]\n")
    done = run("config", "check", "--config", "x.toml")
    assert (done.returncode, "Two contracts begin on 1970-01-01" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"IES_METERS": "gopher://head"}, "gopher://head cannot be read"),
        ({"IES_SERVER_TIME_ZONE": "Nowhere"}, "'Nowhere' is not a time zone"),
        ({"IES_MQTT_URL": "pi"}, "outputs.mqtt: the url must be like mqtt://"),
        ({"IES_COLLECT_URL": "pi"}, "collect: the url must be like mqtt://"),
    ],
)
def test_check_finds_what_serve_and_collect_would_refuse(call: Run, variables: dict[str, str], sentence: str) -> None:
    done = call("config", "check", **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_check_names_every_mistake_and_warns_of_what_is_probably_not_meant(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(
        "[server]\nport = 0\ntime_zone = 'Nowhere'\n[[meters]]\nurl = 'gopher://a'\n"
        "[[contracts]]\nbegins = 2026-01-01\n[contracts.energy]\nkind = 'spot'\n"
    )
    done = run("config", "check", "--config", "x.toml")
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (2, "", 5)
    for part in ("server.port in x.toml", "contracts.1.energy.zone", "server.time_zone", "The meter gopher://a"):
        assert any(line.startswith("iskra-server: ") and part in line for line in lines), done.stderr
    assert lines[0].startswith("Warning: contracts.1.vat_percent is 0")


def test_a_configuration_with_warnings_is_valid(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[[contracts]]\n[contracts.energy]\nprice = 0.2\n")
    done = run("config", "check", "--config", "x.toml")
    assert (done.returncode, "is valid" in done.stdout, done.stderr.count("Warning: ")) == (0, True, 2)
    assert "contracts.1.begins is missing: the contract counts from the first reading in history on." in done.stderr
