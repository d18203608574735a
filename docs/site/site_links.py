"""Links of built pages: each leads to a file and an anchor of the site, none loads anything from another host."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# what a browser loads by itself; an <a> is followed by people
_LOADS = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "srcset"), ("iframe", "src")}
_ADDRESSES = {"a": "href", "img": "src", "script": "src", "link": "href"}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif value is not None and (name == _ADDRESSES.get(tag) or (tag, name) in _LOADS):
                self.links.append((tag, name, value))


def broken_links(folder: Path) -> list[str]:
    """A sentence for each link of the site in `folder` that leads nowhere, and each thing loaded from elsewhere."""
    pages = {path: _parsed(path) for path in sorted(folder.rglob("*.html"))}
    return [
        f"{path.relative_to(folder)}: {sentence}"
        for path, page in pages.items()
        for tag, name, target in page.links
        if (sentence := _fault(folder, path, pages, (tag, name), target))
    ]


def _parsed(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text())
    return page


def _fault(folder: Path, path: Path, pages: dict[Path, _Page], attribute: tuple[str, str], target: str) -> str:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        if attribute in _LOADS and parts.scheme != "data":
            return f"loads {target}"
        return "" if parts.scheme in ("https", "http", "mailto", "data") else f"a link of another kind, {target}"
    file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not file.is_file() or folder.resolve() not in file.parents:
        return f"no such file, {target}"
    if parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].anchors:
        return f"no such anchor, {target}"
    return ""
