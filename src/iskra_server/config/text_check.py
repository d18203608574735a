"""Checks the text of a configuration: every mistake, each with the line of its key. Nothing is opened or kept."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from iskra_server.base.language import in_both
from iskra_server.config.findings import ConfigError
from iskra_server.config.key_sentences import SENTENCES
from iskra_server.config.layers import Layers
from iskra_server.config.sections import Config
from iskra_server.config.toml_hints import line_of_error, toml_hint

# how the text is called in sentences
_ORIGIN = "the text"
# no two parts next to each other match the same: a hostile text would take minutes else
_HEADER = re.compile(r"\s*(\[\[?)([^\[\]#]+)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*=""")


def read_text(text: str) -> tuple[Config | None, list[ConfigError]]:
    """The configuration in TOML, or None where it is none, and what is wrong with it."""
    try:
        content = msgspec.toml.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        sentence = in_both(SENTENCES["no_toml"], error=error, hint=toml_hint(text, error))
        return None, [ConfigError(sentence, line=line_of_error(text, error))]
    except RecursionError:
        return None, [ConfigError(SENTENCES["too_deep"])]
    except ValueError:
        # Python reads no more than 4,300
        return None, [ConfigError(SENTENCES["too_many_digits"])]
    errors: list[ConfigError] = []
    layers = Layers(errors)
    try:
        layers.add_file(content, _ORIGIN)
        return layers.config(), errors
    except ConfigError as error:
        return None, [*errors, error]


def lines_of(text: str) -> Mapping[str, int]:
    """The line, from 1 on, of each key and table."""
    return dict(_lines(text))


def line_of(lines: Mapping[str, int], key: str) -> int | None:
    """That of a key such as contracts.1.energy.price, or of the nearest table that it is in."""
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return None


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Each key and each header, with entries of lists counted from 1; a text in several lines may look like one."""
    counts: Counter[str] = Counter()
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            section = _section(header[2], counts, is_entry=header[1] == "[[")
            yield section, number
        elif key := _KEY.match(line):
            name = key[1] or key[2] or key[3] or ""
            yield f"{section}.{name}" if section else name, number


def _section(header: str, counts: Counter[str], *, is_entry: bool) -> str:
    """contracts.energy below the second [[contracts]] is contracts.2.energy."""
    path = ""
    names = [name.strip().strip("\"'") for name in header.split(".")]
    for place, name in enumerate(names, 1):
        path = f"{path}.{name}" if path else name
        if is_entry and place == len(names):
            counts[path] += 1
        if counts[path]:
            path = f"{path}.{counts[path]}"
    return path
