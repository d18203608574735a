"""Both languages say all of it, and the same."""

import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec import structs

from iskra_server.base.language import Language
from iskra_server.cli.ui.unlock_texts import PHRASES
from iskra_server.diagnosis.unlocking import Event
from iskra_server.web.http.pages import STATIC

WORDS = STATIC / "js/words"
METERS = Path(__file__).parents[3] / "docs/meters.md"


def test_every_event_is_said_in_both_languages() -> None:
    for phrases in PHRASES.values():
        assert set(phrases.events) == set(get_args(Event))


def test_nothing_is_said_alike_or_cut_in_two() -> None:
    en, de = PHRASES["en"], PHRASES["de"]
    assert len(en.instructions) == len(de.instructions)
    assert all(structs.asdict(en)[name] != said for name, said in structs.asdict(de).items())
    assert (en.digit.format(2)[:8], de.digit.format(2)[:9]) == ("Digit 2:", "Ziffer 2:")


def page_steps(language: str) -> list[list[str]]:
    """Title and text of each step that the page shows."""
    unlock = (WORDS / f"setup{language.title()}.js").read_text().partition("unlock: {")[2]
    steps = unlock.partition("steps: [\n")[2].partition("\n    ],")[0]
    return [re.findall(r'"([^"]+)"', step)[:2] for step in re.findall(r"\[(.*?)\]", steps, re.DOTALL)]


def test_the_page_and_the_documentation_have_the_same_steps() -> None:
    section = METERS.read_text().partition("## Unlock the meter")[2].partition("\n## ")[0]
    assert len(page_steps("en")) == len(page_steps("de")) == 6
    assert re.findall(r"^\d\. \*\*(.+?)\*\* (.+)$", section, re.MULTILINE) == [tuple(step) for step in page_steps("en")]


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ("four", "PIN", "raises the digit by one", "three seconds", "InF", "five seconds", "PIN OFF")),
        ("de", ("vier", "PIN", "kurz leuchten", "Sekunden", "InF", "fünf Sekunden", "PIN OFF")),
    ],
)
def test_the_command_teaches_the_steps_of_the_page(language: Language, parts: tuple[str, ...]) -> None:
    page = " ".join(text for step in page_steps(language) for text in step)
    command = " ".join(PHRASES[language].instructions)
    assert [part for part in parts if part.lower() not in page.lower() or part.lower() not in command.lower()] == []
