"""What the uplink says of itself, in both languages."""

from iskra_server.base.language import Bilingual
from iskra_server.mqtt.message import MqttError, OldProtocolOnly, WrongPassword

UNNAMED: Bilingual = (
    "Nothing is sent to the central server yet: the database keeps the name of this reader and cannot be read. See the "
    "sentence about history, or name the reader in uplink.reader.",
    "An die Zentrale wird noch nichts gesendet: Der Name dieses Lesegeräts steht in der Datenbank, die nicht gelesen "
    "werden kann. Beachten Sie den Satz zum Verlauf, oder geben Sie den Namen in uplink.reader an.",
)
_LOST: dict[type[MqttError], Bilingual] = {
    WrongPassword: (
        "The broker {broker} says: wrong user or password ({reason}). Correct the user in uplink.url and the password "
        "in uplink.password (iskra-server.toml, or the file of IES_UPLINK_PASSWORD_FILE). "
        "Quarter-hours wait until then.",
        "Der Broker {broker} meldet: Benutzer oder Passwort ist falsch ({reason}). Korrigieren Sie den Benutzer in "
        "uplink.url und das Passwort in uplink.password (iskra-server.toml oder die Datei von "
        "IES_UPLINK_PASSWORD_FILE). Die Viertelstunden warten so lange.",
    ),
    OldProtocolOnly: (
        "The broker {broker} cannot be used: {reason}. {advice}. Quarter-hours wait until then.",
        "Der Broker {broker} ist nicht verwendbar: {reason}. {advice}. Die Viertelstunden warten so lange.",
    ),
    MqttError: (
        "The central server at {broker} is away: {reason}. {advice}. Quarter-hours wait and are sent when it is back.",
        "Die Zentrale unter {broker} ist nicht erreichbar: {reason}. {advice}. Die Viertelstunden warten und werden "
        "danach gesendet.",
    ),
}
UNANSWERED: Bilingual = (
    "No collector has answered for {minutes} minutes. {waiting}{since}. See that iskra-server collect runs, is "
    "connected to this broker and reaches its database.",
    "Seit {minutes} Minuten hat kein Kollektor geantwortet. {waiting}{since}. Prüfen Sie, ob iskra-server collect "
    "läuft, mit diesem Broker verbunden ist und seine Datenbank erreicht.",
)
REFUSED: Bilingual = (
    "The central server refuses {count} {quarters} {whose}: {reason}. Nothing is lost: when the cause is removed, run "
    "iskra-server uplink resend --from {day}.",
    "Die Zentrale lehnt {count} {quarters} {whose} ab: {reason}. Nichts ist verloren: Wenn die Ursache behoben ist, "
    "rufen Sie iskra-server uplink resend --from {day} auf.",
)


def lost(error: MqttError) -> Bilingual:
    """The row for an error of the broker, with broker, reason and advice as details."""
    return _LOST.get(type(error), _LOST[MqttError])
