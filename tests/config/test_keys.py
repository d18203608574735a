"""Every key, as it is read off the sections."""

from iskra_server.config.keys import describe, expected


def test_every_key_is_documented_beside_itself() -> None:
    for key in describe():
        assert key.description.endswith("."), key.path
        assert expected(key), key.path
        assert key.variables, key.path


def test_a_key_knows_its_section_its_name_and_its_variables() -> None:
    key = next(key for key in describe() if key.path == "server.port")
    assert (key.section, key.name, key.variables) == ("server", "port", ("IES_PORT", "IES_SERVER_PORT"))
    assert not key.secret


def test_tokens_passwords_and_addresses_that_may_hold_one_are_secrets() -> None:
    secrets = {key.path for key in describe() if key.secret}
    assert secrets == {
        "server.token",
        "tokens.token",
        "meters.key",
        "meters.auth_key",
        "history.database_url",
        *(f"{section}.{name}" for section in ("outputs.mqtt", "uplink", "collect") for name in ("url", "password")),
        *(f"notify.{name}" for name in ("url", "token", "password")),
        *(f"outputs.influx.{name}" for name in ("url", "token", "password")),
    }
