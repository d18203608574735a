"""One word for one thing: words that we agreed not to use stay out of the code, the docs and the page.

The left side is what to write instead. `EXCEPTIONS` are the places where such a word is right.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("src", "docs")
SUFFIXES = {".py", ".js", ".html", ".md", ".ts"}
SKIPPED = {"node_modules", "vendor", "__pycache__", "versions"}
# what to write: what not to write
GLOSSARY = {
    "bytes, data": r"\b\w*octets?\b|\b_?octets?_\w+",
    "import, from grid": r"\b(?:energy|kWh|what (?:was|is)) drawn\b|\bdrawn_\w+|\b_?drawn\b(?= ?[=,:)])",
    "export, to grid": r"\bfed[ _]in\b|\bfed_wh\b",
    "valid telegram": r"\b(?:good|whole) telegrams?\b|\bshare_good\b",
    "quarter reading": r"\bQuarterBoundary\b|\bBoundary\b",
    "central server": r"\b[Cc]entre\b",
    "held back, quarantined": r"\blet go of\b",
    "current reading": r"\bfresh (?:reading|value)s?\b",
    "checks; the first failed check": r"\bbroken link\b|\bchain of links\b|\bfirst link\b",
    "min, max, lowest, highest": r"\b_?(?:LEAST|MOST|FEWEST|SHORTEST|LONGEST)_\w+",
    "support bundle": r"\bwithout who it is from\b",
    "clients, users": r"\b[Ww]hoever asks\b",
    "without effect": r"\bin vain\b",
    "instalment": r"\binstalment that fits\b",
}
GERMAN = {
    "aktueller Wert": r"frische[rn]? Wert",
    "Qualität": r"\bGüte\b",
    "Prognose": r"\bVorhersage\b",
    "Byte, Daten": r"\bOktett",
    "Es kommt kein Wert an": r"Kette ist gerissen|ist gerissen",
    "gültige Telegramme": r"\bgute[rn]? Telegramm|ganze[rn]? Telegramm",
    "Lesekopf": r"\b(?:Der|Den|Dem|den|dem|der) Kopf\b",
    "Strg+C": r"\bStrg C\b",
    "Alle Zähler": r"\bFlotte\b",
}
# file: text in the line that makes the word right
EXCEPTIONS = {
    # the SML type, the media type, and names that lie on disks or go over the wire between versions
    "docs/history-format.md": ("`octets`",),
    # what earlier versions wrote
    "tests/history/store/frozen/": ("octets",),
    "tests/history/store/freezing.py": ('"octets"',),
    "docs/decisions/0013": ("octets",),
    "": (
        "octet string",
        "octet_string",
        "octet-stream",
        "OCTET_STRING",
        '"octets"',
        "'octets'",
        "row.octets",
        "octets=",
    ),
}


def lines() -> Iterator[tuple[str, int, str]]:
    for file in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*")):
        if file.suffix in SUFFIXES and SKIPPED.isdisjoint(file.parts) and file != Path(__file__):
            name = str(file.relative_to(ROOT))
            for number, line in enumerate(file.read_text().splitlines(), 1):
                yield name, number, line
    for page in sorted(ROOT.glob("*.md")):
        for number, line in enumerate(page.read_text().splitlines(), 1):
            yield page.name, number, line


@pytest.mark.parametrize("words", [GLOSSARY, GERMAN], ids=["english", "german"])
def test_words_of_the_glossary_are_used(words: dict[str, str]) -> None:
    patterns = {instead: re.compile(pattern) for instead, pattern in words.items()}
    found = [
        f"{name}:{number}: '{match[0]}', write: {instead}"
        for name, number, line in lines()
        for instead, pattern in patterns.items()
        if (match := pattern.search(line)) and not _is_exception(name, line)
    ]
    assert found == []


def _is_exception(name: str, line: str) -> bool:
    return any(text in line for file, texts in EXCEPTIONS.items() if name.startswith(file) for text in texts)
