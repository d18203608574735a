"""Settings of Sphinx for one language of the site; make_site.py stages the sources and names the language."""

import os
import re
from typing import Any

from docutils import nodes

language = os.environ["SITE_LANGUAGE"]
_VERSION = os.environ["SITE_VERSION"]
# names of the pages that the other language has, too
_TRANSLATED = frozenset(os.environ["SITE_TRANSLATED"].split())

project = "ISKRA Electricity Server"
author = "The authors of ISKRA Electricity Server"
project_copyright = author
version = release = _VERSION
extensions = ["myst_parser"]
# anchors as a forge makes them; nothing is fetched while building
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
html_theme = "furo"
html_title = project
html_logo = html_favicon = "favicon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("versions.js", *(["german.js"] if language == "de" else []))]
templates_path = ["templates"]
html_sidebars = {
    "**": ["sidebar/brand.html", "sidebar/choices.html", "sidebar/search.html", "sidebar/scroll-start.html",
           "sidebar/navigation.html", "sidebar/scroll-end.html"],
}  # fmt: skip
html_copy_source = html_use_index = False
html_show_sourcelink = False
html_last_updated_fmt = None
html_context = {"site_version": _VERSION, "translated": _TRANSLATED}
# the colours of the product's page: base.css
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#925600",
        "color-brand-content": "#925600",
        "color-brand-visited": "#925600",
        "color-background-primary": "#ffffff",
        "color-background-secondary": "#f6f5f2",
        "color-foreground-primary": "#1b1e20",
        "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif",
        "font-stack--monospace": "ui-monospace, 'DejaVu Sans Mono', monospace",
    },
    "dark_css_variables": {
        "color-brand-primary": "#f2a33a",
        "color-brand-content": "#f2a33a",
        "color-brand-visited": "#f2a33a",
        "color-background-primary": "#0e1113",
        "color-background-secondary": "#171b1e",
        "color-foreground-primary": "#eceeee",
    },
}


def _name_anchors_as_a_forge_does(_: Any, doctree: nodes.document) -> None:
    """So a link into a page works in the repository and here, also from the other language."""
    for section in doctree.findall(nodes.section):
        slug = section.get("slug")
        if slug and slug not in section["ids"]:
            section["ids"].insert(0, slug)


def _let_long_words_break(_: Any, doctree: nodes.document) -> None:
    """Keys, variables and paths in tables: after a point, an underscore or a slash; what is copied stays one word."""
    for cell in doctree.findall(nodes.entry):
        for literal in list(cell.findall(nodes.literal)):
            first, *rest = re.split(r"(?<=[._/])(?=\w)", literal.astext())
            literal.children = []
            literal.append(nodes.Text(first))
            for part in rest:
                literal.extend([nodes.raw("", "<wbr>", format="html"), nodes.Text(part)])


def setup(app: Any) -> None:
    # before Sphinx collects the titles and their ids
    app.connect("doctree-read", _name_anchors_as_a_forge_does, priority=100)
    app.connect("doctree-read", _let_long_words_break)
