"""Links of built pages that lead nowhere are found, and so is what a browser would load from another host."""

from pathlib import Path

import pytest

from site_links import broken_links


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ('<a href="other.html">', None),
        ('<a href="other.html#there">', None),
        ('<a href="#here">', None),
        ('<a href="https://example.org/">', None),
        ('<img src="data:image/png;base64,AA==">', None),
        ('<a href="gone.html">', "no such file, gone.html"),
        ('<a href="other.html#gone">', "no such anchor, other.html#gone"),
        ('<a href="../outside.html">', "no such file, ../outside.html"),
        ('<a href="javascript:alert()">', "a link of another kind, javascript:alert()"),
        ('<img src="https://example.org/x.png">', "loads https://example.org/x.png"),
        ('<script src="//cdn.example.org/x.js">', "loads //cdn.example.org/x.js"),
        ('<link rel="stylesheet" href="https://fonts.example.org/x.css">', "loads https://fonts.example.org/x.css"),
    ],
)
def test_a_link_is_judged(tmp_path: Path, link: str, fault: str | None) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (tmp_path / "outside.html").write_text("")
    (folder / "other.html").write_text('<h1 id="there">')
    (folder / "page.html").write_text(f'<h1 id="here">{link}')
    assert broken_links(folder) == ([f"page.html: {fault}"] if fault else [])
