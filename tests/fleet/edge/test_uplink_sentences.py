from iskra_server.base.address import Address
from iskra_server.base.language import in_both
from iskra_server.base.secret import Secret
from iskra_server.fleet.edge.uplink_sentences import lost
from iskra_server.mqtt.access import broker_access
from iskra_server.mqtt.message import ConnectionLost, MqttError, OldProtocolOnly, WrongPassword

ACCESS = broker_access(Address("mqtt://house-7@broker"), password=Secret("geheim-5"))


def said(error: MqttError) -> tuple[str, str]:
    return in_both(lost(error), **ACCESS.details(error))


def test_a_broker_that_is_away_is_said_in_both_languages() -> None:
    assert said(ConnectionLost()) == (
        "The central server at mqtt://broker:1883 is away: the connection is lost. See that the broker runs. "
        "Quarter-hours wait and are sent when it is back.",
        "Die Zentrale unter mqtt://broker:1883 ist nicht erreichbar: die Verbindung ist abgebrochen. Prüfen Sie, "
        "ob der Broker läuft. Die Viertelstunden warten und werden danach gesendet.",
    )


def test_what_does_not_pass_by_itself_has_a_sentence_of_its_own() -> None:
    english, german = said(WrongPassword("refused for geheim-5"))
    assert "wrong user or password (refused for ***)" in english
    assert "Benutzer oder Passwort ist falsch (refused for ***)" in german
    english, german = said(OldProtocolOnly())
    assert english.endswith("such as Mosquitto. Quarter-hours wait until then.")
    assert german.endswith("etwa Mosquitto. Die Viertelstunden warten so lange.")
