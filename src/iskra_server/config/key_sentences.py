"""Sentences about the text of a configuration and its keys: English, and German for a text that is being written.

fault: sentence, Satz
"""

from iskra_server.base.language import Bilingual

# fmt: off
SENTENCES: dict[str, Bilingual] = {
    "no_toml": (
        "This is not valid TOML: {error}{hint}.",
        "Das ist kein gültiges TOML: {error}{hint}."),
    "too_deep": (
        "This is nested too deeply; a configuration has sections with keys.",
        "Das ist zu tief verschachtelt; eine Konfiguration hat Abschnitte mit Schlüsseln."),
    "too_many_digits": (
        "A number in this text has too many digits.",
        "Eine Zahl in diesem Text hat zu viele Stellen."),
    "no_section": (
        "'{name}' in {origin} is not a section{suggestion}",
        "'{name}' ist kein Abschnitt{suggestion}"),
    "must_be_section": (
        "'{name}' in {origin} must be a section, written [{name}].",
        "'{name}' muss ein Abschnitt sein, geschrieben [{name}]."),
    "same_url": (
        "Two meters have the url '{url}'; give each meter its own.",
        "Zwei Zähler haben die Adresse (url) '{url}'; geben Sie jedem seine eigene."),
    "must_be_list": (
        "'{name}' in {origin} must be {expected}.",
        "'{name}' muss {expected} sein."),
    "no_meter": (
        "'meters' in {origin} lists no meter; without it the meter is found automatically.",
        "'meters' nennt keinen Zähler; ohne diesen Abschnitt wird der Zähler von selbst gefunden."),
    "no_key": (
        "'{name}' in {origin} is not a key{suggestion}",
        "'{name}' ist kein Schlüssel{suggestion}"),
    "bad_text": (
        "{where} {fault}.",
        "{path} {fault}."),
    "must_be": (
        "{where} must be {expected}{wrong}.",
        "{path} muss {expected} sein{wrong}."),
    "form": (
        "{path} in {origin} must be {expected}.",
        "{path} muss {expected} sein."),
    "must_be_year": (
        "'{key}' in {origin} must be a year, such as {path}.2026.",
        "'{key}' muss ein Jahr sein, etwa {path}.2026."),
}

# what a value must be
FORMS: dict[str, Bilingual] = {
    "one_of": ("one of {values}", "einer der Werte {values}"),
    "switch": ("true or false", "true oder false"),
    "date": ("a date such as 2026-01-01", "ein Datum wie 2026-01-01"),
    "text": ("text", "Text"),
    "quoted": ("text in quotes", "Text in Anführungszeichen"),
    "filled": ("text that is not empty", "ein Text, der nicht leer ist"),
    "whole": ("a whole number", "eine ganze Zahl"),
    "number": ("a number", "eine Zahl"),
    "above": ("{noun} above {low}, at most {high}", "{noun} über {low}, höchstens {high},"),
    "above_on": ("{noun} above {low} on", "{noun} über {low}"),
    "from": ("{noun} from {low} to {high}", "{noun} von {low} bis {high}"),
    "from_on": ("{noun} from {low} on", "{noun} ab {low}"),
    "year": ("a year", "ein Jahr"),
    "price": ("a price, a number up to {high}", "ein Preis, eine Zahl bis {high},"),
    "section_list": ("a list of sections, each written [[{name}]]", "eine Liste von Abschnitten, jeder geschrieben [[{name}]],"),
    "table_list": ("a list of tables, each written [[{name}]]", "eine Liste von Tabellen, jede geschrieben [[{name}]],"),
    "table": ("a table, written [{name}]", "eine Tabelle, geschrieben [{name}],"),
    "url_list": ("a list of entries such as {{url: auto}}", "eine Liste von Einträgen wie {{url: auto}}"),
}

# why a text can be no value
FAULTS: dict[str, Bilingual] = {
    "utf8": ("is not text in UTF-8", "ist kein Text in UTF-8"),
    "long": ("is longer than {most} bytes", "ist länger als {most} Bytes"),
    "control": ("holds a control character ({code}); remove it", "enthält ein Steuerzeichen ({code}); entfernen Sie es"),
}
# fmt: on
