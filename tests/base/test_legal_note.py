"""The sentence of every report: on the page too. The tests of each report look for it."""

import re
from pathlib import Path

import pytest

from iskra_server.base.legal_note import LEGAL_NOTE

WORDS = Path(__file__).parents[2] / "src" / "iskra_server" / "web" / "static" / "js" / "words"


@pytest.mark.parametrize("language", LEGAL_NOTE)
def test_the_page_says_the_same(language: str) -> None:
    text = re.sub(r'"\n *\+ "', "", (WORDS / f"fleet{language.title()}.js").read_text())
    assert f'legal: "{LEGAL_NOTE[language]}",' in text
