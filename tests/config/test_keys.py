"""Every key, as it is read off the sections."""

from iskra_server.config.common_keys import BrokerPassword
from iskra_server.config.keys import TABLES, describe, describe_tables, expected


def test_every_key_is_documented_beside_itself() -> None:
    for key in describe():
        assert key.description.endswith("."), key.path
        assert expected(key), key.path
        assert key.variables, key.path


def test_a_key_knows_its_section_its_name_and_its_variables() -> None:
    key = next(key for key in describe() if key.path == "server.port")
    assert (key.section, key.name, key.variables) == ("server", "port", ("IES_PORT", "IES_SERVER_PORT"))
    assert not key.secret


_WITH_BROKER = ("outputs.mqtt", "outputs.victron", "uplink", "collect")


def test_tokens_passwords_and_addresses_that_may_hold_one_are_secrets() -> None:
    secrets = {key.path for key in describe() if key.secret}
    assert secrets == {
        "server.token",
        "tokens.token",
        "meters.key",
        "meters.auth_key",
        "history.database_url",
        "prices.file",
        *(f"{section}.{name}" for section in _WITH_BROKER for name in ("url", "password")),
        *(f"notify.{name}" for name in ("url", "token", "password")),
        *(f"outputs.influx.{name}" for name in ("url", "token", "password")),
    }


def test_the_keys_of_tables_have_a_description_and_no_variable() -> None:
    keys = {key.path: key for key in describe_tables()}
    for key in keys.values():
        assert key.description.endswith(".") and expected(key) and key.variables == ()
    assert expected(keys["contracts.grid.module"]) == "one of 0, 1, 3"
    assert expected(keys["contracts.energy.percent_negative"]) == "a number from -100 to 1000"
    assert keys["contracts.energy.windows.from"].name == "from"


def test_contracts_and_offers_have_the_same_tables() -> None:
    contracts, offers = (
        {path.partition(".")[2]: table for path, table in TABLES.items() if path.startswith(section)}
        for section in ("contracts", "offers")
    )
    # an offer is never paid in advance
    del contracts["instalments"]
    assert contracts == offers and contracts["energy.windows"].is_list and contracts["levies"].has_years


def test_the_password_of_a_broker_is_the_same_key_in_every_section() -> None:
    passwords = [key for key in describe() if key.section in _WITH_BROKER and key.name == "password"]
    assert len(passwords) == len(_WITH_BROKER)
    assert all(key.type == BrokerPassword and key.secret for key in passwords)
