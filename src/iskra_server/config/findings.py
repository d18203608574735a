"""What is wrong with a configuration, or looks wrong."""

from collections.abc import Iterable
from typing import Literal, TypeVar

from msgspec import Struct

from iskra_server.base.language import Bilingual


class ConfigError(Exception):
    """One sentence: the key, the file or variable, what was expected. Characters that do not print become "?".

    `key` is its path, such as contracts.1.energy.price; empty where it is about more than one. `expected` is what the
    value must be, where one phrase says it. Both may be bilingual: `german` is "" where they are not. The German
    sentence is for a text that is being written, and does not name its origin. `line` is where a text is no TOML: it
    has no keys then.
    """

    def __init__(
        self, sentence: str | Bilingual, key: str = "", expected: str | Bilingual = "", *, line: int | None = None
    ) -> None:
        english, german = sentence if isinstance(sentence, tuple) else (sentence, "")
        super().__init__(_printable(english))
        self.german = _printable(german)
        self.expected, expected_german = expected if isinstance(expected, tuple) else (expected, "")
        # the comma before the verb of the sentence
        self.expected_german = expected_german.removesuffix(",")
        self.key = key
        self.line = line


class Finding(Struct, frozen=True):
    """An error keeps the configuration from being used; a warning does not."""

    level: Literal["error", "warning"]
    sentence: str
    key: str = ""
    expected: str = ""
    german: str = ""
    expected_german: str = ""


def error_of(error: ConfigError) -> Finding:
    return Finding("error", str(error), error.key, error.expected, error.german, error.expected_german)


def warning(key: str, sentence: Bilingual) -> Finding:
    english, german = sentence
    return Finding("warning", english, key, german=german)


_Found = TypeVar("_Found", Finding, ConfigError)


def without_consequences(findings: Iterable[_Found], errors: Iterable[ConfigError]) -> list[_Found]:
    """Without those that say something again about a key that has an error, or about the table of a wrong kind."""
    wrong = {error.key for error in errors if error.key}
    return [
        finding
        for finding in findings
        if finding.key not in wrong and f"{finding.key.rpartition('.')[0]}.kind" not in wrong
    ]


def _printable(sentence: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in sentence)
