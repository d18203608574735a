"""Each error of a connection is a clause in both languages, and so is its advice."""

import pytest

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.mqtt.access import broker_access
from iskra_server.mqtt.message import (
    PUBLISHING,
    READING,
    ConnectionLost,
    Denied,
    MqttError,
    NoAnswer,
    OldProtocolOnly,
    TakenOver,
    WrongPassword,
)

ACCESS = broker_access(Address("mqtt://me@broker"), password=Secret("geheim-5"))


@pytest.mark.parametrize(
    ("error", "english", "german"),
    [
        (MqttError("no geheim-5"), "no ***. See that the broker", "no ***. Prüfen Sie, ob der Broker"),
        (WrongPassword("it refuses"), "it refuses. See that user", "it refuses. Prüfen Sie Benutzer"),
        (ConnectionLost(), "the connection is lost. See", "die Verbindung ist abgebrochen. Prüfen"),
        (NoAnswer(5), "it does not answer within 5 s. See", "er antwortet nicht innerhalb von 5 s. Prüfen"),
        (OldProtocolOnly(), "it speaks no MQTT 5", "er spricht kein MQTT 5"),
        (TakenOver("x"), "another program uses", "ein anderes Programm verwendet dort"),
        (TakenOver("x", is_sure=False), "another program seems to", "ein anderes Programm verwendet anscheinend"),
    ],
)  # fmt: skip
def test_an_output_says_why_nothing_is_published(error: MqttError, english: str, german: str) -> None:
    said, gesagt = ACCESS.nothing_published(error)
    assert said.startswith(f"Nothing is published to mqtt://broker:1883: {english}")
    assert gesagt.startswith(f"An mqtt://broker:1883 wird nichts gesendet: {german}")
    assert said.endswith("; retrying.") and gesagt.endswith("; es wird weiter versucht.")


def test_a_denied_topic_is_said_with_what_was_to_be_done_there() -> None:
    for action, german in ((PUBLISHING, "das Schreiben auf"), (READING, "das Lesen von"), ("x", "oder Lesen von")):
        denied = Denied(action, "a/b", "Not authorized")
        assert str(denied).startswith(f"the broker denies {action} a/b (Not authorized);")
        assert f"{german} a/b (Not authorized)" in denied.german
