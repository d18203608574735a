"""Commands as the documentation has them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def documented(beginning: str, page: str = "fleet-operations.md", section: str = "") -> list[str]:
    """The command lines of a page, or of one section of it, that begin so."""
    text = (ROOT / "docs" / page).read_text().replace("\\\n", "")
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [line.strip() for line in re.findall(rf"^ *{re.escape(beginning)}.*$", text, re.MULTILINE)]
