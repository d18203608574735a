"""Arranges docs/ for Sphinx: a folder for each language, in which every link leads to a page or a file of the site.

The Markdown in the repository is what a forge shows. Here links between languages become addresses of the other site,
pages outside docs/ get a place, other files that are linked are copied, a picture that exists in light and dark follows
the choice of the reader, and the first page gets the navigation.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from navigation import ELSEWHERE, NAVIGATION, TITLES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:!\[[^\]]*\]\([^)]*\)|[^\[\]])*)\]\((?P<target>[^)\s]+)\)")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# the line with nothing but the link to the other language: the site has a switch for it
_TO_OTHER_LANGUAGE = re.compile(r"^\[(?:Deutsch|English)\]\([^)]+\)\n\n?", re.MULTILINE)
_PICTURE = re.compile(r"<picture>.*?<img src=\"(?P<source>[^\"]+)\" alt=\"(?P<text>[^\"]*)\">\s*</picture>", re.DOTALL)
_DOWNLOADS = "files"


class StagingError(Exception):
    """A link that leads nowhere, or a page that the navigation does not name."""


def pages() -> dict[str, dict[str, Path]]:
    """The files of the pages of each language, by their names."""
    de = DOCS / "de"
    found = {
        "en": {name_of(path, DOCS): path for path in sorted(DOCS.rglob("*.md")) if de not in path.parents},
        "de": {name_of(path, de): path for path in sorted(de.rglob("*.md"))},
    }
    for file, (language, name) in ELSEWHERE.items():
        if (ROOT / file).exists():
            found[language][name] = ROOT / file
    return found


def name_of(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def check_navigation(found: dict[str, dict[str, Path]]) -> None:
    """Each page has one place in the navigation; decisions are below their own list. Raises StagingError."""
    listed = [page for group in NAVIGATION for page in group.pages]
    decisions = {page for page in found["en"] if page.startswith("decisions/")}
    missing = set(found["en"]) - set(listed) - decisions - {"index"}
    if missing or len(listed) != len(set(listed)):
        raise StagingError(f"docs/site/navigation.py does not name each page once: {sorted(missing)}.")
    if alone := set(found["de"]) - set(found["en"]):
        raise StagingError(f"docs/de has pages without an English one of that name: {sorted(alone)}.")


def stage(folder: Path) -> dict[str, dict[str, Path]]:
    """Writes the sources of each language below `folder`; returns the pages. Raises StagingError."""
    found = pages()
    check_navigation(found)
    shutil.rmtree(folder, ignore_errors=True)
    for language, names in found.items():
        for name, path in names.items():
            target = folder / language / f"{name}.md"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Page(language, name, path, found, folder / language).text())
    return found


class Page:
    """A page that is rewritten for the site."""

    def __init__(self, language: str, name: str, path: Path, found: dict[str, dict[str, Path]], folder: Path) -> None:
        self._language = language
        self._name = name
        self._path = path
        self._found = found
        self._folder = folder

    def text(self) -> str:
        text = self._path.read_text()
        text = _TO_OTHER_LANGUAGE.sub("", text, count=1)
        text = _PICTURE.sub(lambda match: f"![{match['text']}]({match['source']})", text)
        text = outside_code(text, lambda part: _LINK.sub(self._link, part))
        if self._name == "configuration":
            text = _with_generator(text, self._language)
        return text + self._navigation()

    def _link(self, match: re.Match[str]) -> str:
        target, text = match["target"], match["text"]
        if not match["image"]:
            # pictures in links
            text = _LINK.sub(self._link, text)
        if _SCHEME.match(target) or target.startswith("#"):
            return f"{match['image']}[{text}]({target})"
        path, hash_sign, anchor = target.partition("#")
        file = (self._path.parent / path).resolve()
        if not file.exists():
            raise StagingError(f"{self._path.relative_to(ROOT)} links to {target}, which does not exist.")
        if match["image"]:
            return self._picture(text, file)
        place = self._place(file)
        if place is None:
            return f"[{text}]({self._copied(file)})"
        language, name = place
        if language == self._language:
            return f"[{text}]({self._relative(f'{name}.md')}{hash_sign}{anchor})"
        # the other language is a site of its own, beside or below this one
        other = f"de/{name}.html" if language == "de" else f"../{name}.html"
        return f'<a href="{self._relative(other)}{hash_sign}{anchor}" hreflang="{language}">{text}</a>'

    def _place(self, file: Path) -> tuple[str, str] | None:
        """Language and name of a page; None for a file that is no page."""
        if file.is_dir():
            raise StagingError(f"{self._path.relative_to(ROOT)} links to a folder, {file.relative_to(ROOT)}.")
        for language, names in self._found.items():
            for name, path in names.items():
                if path == file:
                    return language, name
        if file.suffix == ".md":
            raise StagingError(
                f"{self._path.relative_to(ROOT)} links to {file.relative_to(ROOT)}, which is no page of the site; "
                "name it in ELSEWHERE of docs/site/navigation.py."
            )
        return None

    def _picture(self, text: str, file: Path) -> str:
        """The picture; where there is one for light and one for dark, both, and the style sheet shows one."""
        dark = file.with_name(file.name.replace("-light.", "-dark."))
        if dark == file or not dark.exists():
            return f"![{text}]({self._copied(file, '')})"
        shown = ((file, "only-light"), (dark, "only-dark"))
        return " ".join(f"![{text}]({self._copied(path, '')}){{.{name}}}" for path, name in shown)

    def _copied(self, file: Path, folder: str = _DOWNLOADS) -> str:
        """The address of a copy within the site."""
        inside = Path(folder, file.relative_to(ROOT)) if folder else Path("pictures", file.name)
        target = self._folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        return self._relative(inside.as_posix())

    def _relative(self, target: str) -> str:
        return os.path.relpath(target, os.path.dirname(self._name) or ".")

    def _navigation(self) -> str:
        """The tables of contents, which only the side bar shows: of everything, and of the decisions."""
        names = self._found[self._language]
        if self._name == "decisions/README":
            numbered = [page.removeprefix("decisions/") for page in names if page.startswith("decisions/0")]
            return "\n```{toctree}\n:hidden:\n\n" + "\n".join(numbered) + "\n```\n"
        if self._name != "index":
            return ""
        groups = []
        for group in NAVIGATION:
            listed = [page for page in group.pages if page in names]
            if listed:
                title = group.de if self._language == "de" else group.en
                groups.append(
                    f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(map(self._entry, listed)) + "\n```\n"
                )
        return "\n" + "\n".join(groups)

    def _entry(self, page: str) -> str:
        title = TITLES.get(page)
        return f"{title[self._language]} <{page}>" if title else page


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """A text whose parts outside fenced code blocks were changed."""
    parts, end = [], 0
    for block in _FENCE.finditer(text):
        parts += [change(text[end : block.start()]), block[0]]
        end = block.end()
    return "".join((*parts, change(text[end:])))


def _with_generator(text: str, language: str) -> str:
    sentences = {
        "en": "The [configuration generator](generator) asks what you have and writes the file.",
        "de": "Der [Konfigurationsgenerator](generator) fragt, was Sie haben, und schreibt die Datei.",
    }
    link = re.sub(r"\[(.*?)\]\(generator\)", r'<a href="generator/index.html">\1</a>', sentences[language])
    title, _, rest = text.partition("\n\n")
    return f"{title}\n\n> {link}\n\n{rest}"
