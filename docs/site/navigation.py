"""The pages of the site by what their reader wants, and the files outside docs/ that are pages, too.

A page is named by its file in docs/ (English) or docs/de/ (German, of the same name) without .md. The build fails where
one has no place here.
"""

from typing import NamedTuple


class Group(NamedTuple):
    """A heading of the navigation, and its pages; those without a German text are left out there."""

    en: str
    de: str
    pages: tuple[str, ...]


NAVIGATION = (
    Group("Start", "Start", ("overview",)),
    Group("Install", "Installieren", ("raspberry-pi", "install-debian", "home-assistant-app")),
    Group("Head and meter", "Lesekopf und Zähler", ("ir-head", "meters", "faults")),
    Group("Home Assistant", "Home Assistant", ("home-assistant", "integration", "home-assistant-gaps")),
    Group("Page and cost", "Oberfläche und Kosten", ("page", "solar", "contracts", "prices", "virtual-meters")),
    Group("Connect", "Verbinden", ("mqtt", "emulation", "outputs", "notifications", "recipes")),
    Group("Operate", "Betreiben", ("history", "security", "performance", "compatibility")),
    Group("Many meters", "Viele Zähler", ("fleet", "fleet-operations", "fleet-billing", "fleet-scale")),
    Group("Reference", "Nachschlagen", ("configuration", "command-line", "http", "registers", "history-format")),
    Group(
        "Develop",
        "Entwickeln",
        (
            *("contributing", "developing", "architecture", "decisions/README", "releasing", "changelog"),
            *("security-policy", "support", "code-of-conduct"),
        ),
    ),
)

# where the title of a page says too little beside others
TITLES = {
    "overview": {"en": "Overview", "de": "Überblick"},
    "integration": {"en": "The integration", "de": "Die Integration"},
}

# files of the repository that pages link to, as pages of the site: language and name
ELSEWHERE = {
    "README.md": ("en", "overview"),
    "README.de.md": ("de", "overview"),
    "CHANGELOG.md": ("en", "changelog"),
    "CODE_OF_CONDUCT.md": ("en", "code-of-conduct"),
    "CONTRIBUTING.md": ("en", "contributing"),
    "SECURITY.md": ("en", "security-policy"),
    "SUPPORT.md": ("en", "support"),
    "integrations/homeassistant/README.md": ("en", "integration"),
}
