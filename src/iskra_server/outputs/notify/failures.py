"""Why a message was not sent, and what to do, in both languages."""

from iskra_server.base.language import Bilingual, BilingualError, in_both

_NETWORK = ("Check notify.url and the network.", "Prüfen Sie notify.url und das Netzwerk.")
_AGAIN = ("It is tried again.", "Es wird noch einmal versucht.")
_DETAILS: dict[str, object] = {"network": _NETWORK, "again": _AGAIN}
FAILURES: dict[str, Bilingual] = {
    "unreachable": (
        "{place} cannot be reached ({reason}). {network}",
        "{place} ist nicht erreichbar ({reason}). {network}",
    ),
    "silent": (
        "{place} does not answer within {seconds:.0f} s. {again}",
        "{place} antwortet nicht innerhalb von {seconds:.0f} s. {again}",
    ),
    "certificates": (
        "The certificates {file} cannot be read: {reason}. Correct notify.ca_file.",
        "Die Zertifikate {file} können nicht gelesen werden: {reason}. Korrigieren Sie notify.ca_file.",
    ),
    "access": (
        "{place} refuses access ({reason}). Correct notify.token, or user and password in notify.url.",
        "{place} verweigert den Zugriff ({reason}). Korrigieren Sie notify.token oder Benutzer und Passwort in "
        "notify.url.",
    ),
    "login": (
        "{place} refuses the login ({reason}). Correct notify.user and notify.password.",
        "{place} lehnt die Anmeldung ab ({reason}). Korrigieren Sie notify.user und notify.password.",
    ),
    "redirect": (
        "{place} redirects to another address ({reason}). Put that address into notify.url.",
        "{place} leitet auf eine andere Adresse um ({reason}). Tragen Sie diese in notify.url ein.",
    ),
    "path": (
        "{place} does not know this path ({reason}). Correct notify.url.",
        "{place} kennt diesen Pfad nicht ({reason}). Korrigieren Sie notify.url.",
    ),
    "no_starttls": (
        "{place}: it offers no STARTTLS, so nothing was sent; try smtps:// in notify.url.",
        "{place}: Der Server bietet kein STARTTLS an, deshalb wurde nichts gesendet; versuchen Sie "
        "smtps:// in notify.url.",
    ),
    "not_supported": ("{place}: {reason}", "{place}: {reason}"),
    "full": (
        "{place} takes no more messages for now ({reason}). {again}",
        "{place} nimmt zurzeit keine Nachrichten mehr an ({reason}). {again}",
    ),
    "not_now": (
        "{place} does not take the message now ({reason}). {again}",
        "{place} nimmt die Nachricht jetzt nicht an ({reason}). {again}",
    ),
    "error": (
        "{place} answers with an error ({reason}). {again}",
        "{place} antwortet mit einem Fehler ({reason}). {again}",
    ),
    "refused": (
        "{place} refuses the message ({reason}).",
        "{place} lehnt die Nachricht ab ({reason}).",
    ),
    "recipients": (
        "{place} refuses {reason}; the other recipients have the message.",
        "{place} lehnt {reason} ab; die anderen Empfänger haben die Nachricht.",
    ),
}


class _Failure(BilingualError):
    def __init__(self, kind: str, **details: object) -> None:
        super().__init__(in_both(FAILURES[kind], **_DETAILS, **details))


class NotSent(_Failure):
    """The message cannot be sent now, and is tried again: a sentence with what to do."""


class MessageRefused(_Failure):
    """The other side will never take this message: its reason."""
