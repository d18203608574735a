"""A German page is built like its English twin, so that neither changes unnoticed: headings, tables, pictures, code.

What a German page leaves out stands in its last section, as links to the English headings.
"""

import re
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(page.name for page in (DOCS / "de").glob("*.md"))
# what a householder reads first
NEEDED = {
    *("index.md", "raspberry-pi.md", "ir-head.md", "meters.md", "home-assistant.md", "home-assistant-app.md"),
    *("page.md", "contracts.md", "prices.md", "notifications.md", "emulation.md", "faults.md"),
}
LEFT_OUT = "Nur auf Englisch"
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
_COMMENT = re.compile(r"[ \t]*(?<!\S)#.*$", re.MULTILINE)
_TRANSLATED = re.compile(
    r'\bname: "[^"]*"|\b(?:name|meter|language) = "[^"]*"|\b(?:plus|minus) = \[[^]]*\]| --lang de\b'
)


class Section(NamedTuple):
    title: str
    level: int
    table_rows: int
    pictures: list[str]
    code: list[str]


def sections(page: Path) -> list[Section]:
    """The headings of a page, each with what stands below it."""
    blocks: list[str] = []

    def set_aside(block: re.Match[str]) -> str:
        blocks.append(_as_compared(block[2], block[3]))
        return f"<block {len(blocks) - 1}>"

    text = _FENCE.sub(set_aside, page.read_text())
    _, *parts = re.split(r"^(#+) (.+)$", text, flags=re.MULTILINE)
    return [
        Section(
            title,
            len(marks),
            len(re.findall(r"^\|", body, re.MULTILINE)),
            [Path(target).name for target in _PICTURE.findall(body)],
            [blocks[int(number)] for number in re.findall(r"<block (\d+)>", body)],
        )
        for marks, title, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def _as_compared(language: str, code: str) -> str:
    """Commands and settings without their comments, names and languages; of other text the number of lines."""
    if language == "text":
        return f"{code.count(chr(10))} lines of text"
    return f"{language}\n{_TRANSLATED.sub('', _COMMENT.sub('', code))}"


def without(left_out: set[str], all_sections: list[Section]) -> list[Section]:
    """The sections that a page does not leave out, neither themselves nor the one that they belong to."""
    kept, skipped_level = [], 99
    for section in all_sections:
        if section.level > skipped_level:
            continue
        skipped_level = section.level if section.title in left_out else 99
        if section.title not in left_out:
            kept.append(section)
    return kept


def left_out_by(page: Path) -> set[str]:
    _, _, links = page.read_text().partition(f"\n## {LEFT_OUT}\n")
    return set(re.findall(rf"\[([^\]]+)\]\(\.\./{page.name}#", links))


def test_what_a_householder_reads_first_is_there_in_german() -> None:
    assert NEEDED - set(PAGES) == set()


@pytest.mark.parametrize("name", PAGES)
def test_both_pages_of_a_pair_lead_to_each_other(name: str) -> None:
    assert (DOCS / name).read_text().splitlines()[2] == f"[Deutsch](de/{name})"
    assert (DOCS / "de" / name).read_text().splitlines()[2] == f"[English](../{name})"


@pytest.mark.parametrize("name", PAGES)
def test_a_german_page_is_built_like_the_english_one(name: str) -> None:
    page = DOCS / "de" / name
    english = sections(DOCS / name)
    assert left_out_by(page) - {section.title for section in english} == set()
    kept = without(left_out_by(page), english)
    german = [section for section in sections(page) if section.title != LEFT_OUT]
    assert [
        f"{ours and ours.title!r} is not as {theirs and theirs.title!r}: {ours and ours[1:]}, {theirs and theirs[1:]}"
        for ours, theirs in zip_longest(german, kept)
        if ours is None or theirs is None or ours[1:] != theirs[1:]
    ] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_german_page_links_to_the_german_one_where_there_is_one(name: str) -> None:
    own = {f"../{other}" for other in PAGES}
    lines = (DOCS / "de" / name).read_text().partition(f"\n## {LEFT_OUT}\n")[0].splitlines()[3:]
    linked = {link.partition("#")[0] for line in lines for link in re.findall(r"\]\(([^)]+)\)", line)}
    assert linked & own == set()


def test_the_german_drawing_is_the_english_one_with_other_words() -> None:
    drawings = [(DOCS / name).read_text() for name in ("setup.svg", "de/setup.svg")]
    assert drawings[0] != drawings[1]
    assert len({re.sub(r"(?<=>)[^<>]*[A-Za-z][^<>]*(?=<)", "", drawing) for drawing in drawings}) == 1
