"""What is wrong with a configuration, or looks wrong."""

from collections.abc import Iterable
from typing import Literal, TypeVar

from msgspec import Struct


class ConfigError(Exception):
    """One sentence: the key, the file or variable, what was expected. Characters that do not print become "?".

    `key` is its path, such as contracts.1.energy.price; empty where it is about more than one. `expected` is what the
    value must be, where one phrase says it.
    """

    def __init__(self, sentence: str, key: str = "", expected: str = "") -> None:
        super().__init__("".join(character if character.isprintable() else "?" for character in sentence))
        self.key, self.expected = key, expected


class Finding(Struct, frozen=True):
    """An error keeps the configuration from being used; a warning does not."""

    level: Literal["error", "warning"]
    sentence: str
    key: str = ""
    expected: str = ""


def error_of(error: ConfigError) -> Finding:
    return Finding("error", str(error), error.key, error.expected)


def warning(key: str, sentence: str) -> Finding:
    return Finding("warning", sentence, key)


_Found = TypeVar("_Found", Finding, ConfigError)


def without_consequences(findings: Iterable[_Found], errors: Iterable[ConfigError]) -> list[_Found]:
    """Without those that say something again about a key that has an error, or about the table of a wrong kind."""
    wrong = {error.key for error in errors if error.key}
    return [
        finding
        for finding in findings
        if finding.key not in wrong and f"{finding.key.rpartition('.')[0]}.kind" not in wrong
    ]
