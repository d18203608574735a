"""What axe finds on a page: everything in light, and again the contrast in dark."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_CONTRAST = {"runOnly": ["color-contrast"]}


def accessibility_faults(page: Page, *, in_dark: bool = True) -> list[tuple[str, list[str]]]:
    """Each rule that is broken, with the elements. The page is light, before and after."""
    # a page keeps the script while only its hash changes
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = _violations(page, {})
    if in_dark:
        page.emulate_media(color_scheme="dark")
        found += _violations(page, _CONTRAST)
        page.emulate_media(color_scheme="light")
    return [(violation["id"], [node["html"][:120] for node in violation["nodes"]]) for violation in found]


def _violations(page: Page, options: dict[str, Any]) -> list[dict[str, Any]]:
    result = page.evaluate("(options) => axe.run(document, options)", {**options, "resultTypes": ["violations"]})
    violations: list[dict[str, Any]] = result["violations"]
    return violations
