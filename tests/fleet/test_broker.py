import pytest

from iskra_server.fleet.broker import BROKER_KEYS, reader_name, settings

KEYS = dict.fromkeys(BROKER_KEYS, "") | {"url": "mqtt://reader:secret@central", "base_topic": "iskra/v1"}


def test_the_broker_of_the_central_server() -> None:
    found = settings(**KEYS)
    assert (found.host, found.port, found.username, found.password.reveal()) == ("central", 1883, "reader", "secret")
    assert (found.base, found.discovery) == ("iskra/v1", "off")


def test_a_wrong_url_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="the url must be like"):
        settings(**KEYS | {"url": "http://central"})


def test_a_readers_name_must_fit_into_a_topic() -> None:
    assert reader_name("cellar-12") == "cellar-12"
    assert reader_name("")
    with pytest.raises(ValueError, match="cannot be part of a topic"):
        reader_name("house/cellar")
