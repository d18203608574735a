"""The table of faults: what is wrong and what to do next, in English and German.

To add a fault, add a row to one of the modules of sentences: what is wrong, then the next step. Details in braces
(port, group, percentage, seconds) come from the place that finds the fault. `docs/faults.md` is generated from this.
"""

from collections.abc import Mapping

from msgspec import Struct

from iskra_server.base.language import Language
from iskra_server.diagnosis import (
    central_sentences,
    emulation_sentences,
    line_sentences,
    listening_sentences,
    notice_sentences,
    port_sentences,
    reader_sentences,
    reading_sentences,
    telegram_sentences,
    virtual_sentences,
)

# fault: sentence, next step, Satz, nächster Schritt
TABLE: dict[str, tuple[str, str, str, str]] = {
    **port_sentences.SENTENCES,
    **line_sentences.SENTENCES,
    **telegram_sentences.SENTENCES,
    **reading_sentences.SENTENCES,
    **notice_sentences.SENTENCES,
    **listening_sentences.SENTENCES,
    **emulation_sentences.SENTENCES,
    **virtual_sentences.SENTENCES,
    **central_sentences.SENTENCES,
    **reader_sentences.SENTENCES,
}


class Words(Struct, frozen=True):
    """A fault, or that there is none, and the next step, in one language."""

    sentence: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}".strip()


class Advice(Struct, frozen=True):
    """A fault by its key in the table, in both languages."""

    fault: str
    en: Words
    de: Words


class Label(Struct, frozen=True):
    """The name of a check, or a detail of a sentence, in both languages."""

    en: str
    de: str


def advise(fault: str, details: Mapping[str, object] | None = None) -> Advice:
    """The row of a fault with its details; of a `Label` among them each language has its own text."""
    en, en_step, de, de_step = TABLE[fault]
    english, german = (_in_language(details or {}, language) for language in ("en", "de"))
    return Advice(
        fault,
        Words(en.format_map(english), en_step.format_map(english)),
        Words(de.format_map(german), de_step.format_map(german)),
    )


def _in_language(details: Mapping[str, object], language: str) -> dict[str, object]:
    return {
        name: getattr(detail, language) if isinstance(detail, Label) else detail for name, detail in details.items()
    }


def format_problem(fault: str, details: Mapping[str, object], language: Language = "en") -> str:
    """A fault and its next step, for the command line and, in English, for logs."""
    advice = advise(fault, details)
    return str(advice.de if language == "de" else advice.en)


# the checks, in order
LABELS = {
    "device": Label("Device", "Gerät"),
    "permission": Label("Permission", "Berechtigung"),
    "port": Label("Port", "Anschluss"),
    "data": Label("Data", "Daten"),
    "signal": Label("Signal", "Signal"),
    "protocol": Label("Protocol", "Protokoll"),
    "telegrams": Label("Telegrams", "Telegramme"),
    "checksums": Label("Checksums", "Prüfsummen"),
    "values": Label("Values", "Werte"),
    "unlocked": Label("Unlocked", "Freigeschaltet"),
    "fresh": Label("Recent", "Aktuell"),
    "plausible": Label("Plausible", "Plausibel"),
}
