"""The sections of CHANGELOG.md: which version it begins with, and what a release says about itself."""

import argparse
import re
import sys
from dataclasses import dataclass

from checkout import REFUSED, ROOT

UNRELEASED = "Unreleased"
_HEADING = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\S+))?$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    name: str
    # as written, empty for Unreleased
    date: str
    text: str


def sections(changelog: str) -> list[Section]:
    """The newest first, as they stand in the file."""
    headings = list(_HEADING.finditer(changelog))
    ends = [*(heading.start() for heading in headings[1:]), len(changelog)]
    return [
        Section(heading["name"], heading["date"] or "", changelog[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=False)
    ]


def section(changelog: str, name: str) -> Section | None:
    return next((section for section in sections(changelog) if section.name == name), None)


def main() -> int:
    parser = argparse.ArgumentParser(description="Prints what CHANGELOG.md says about a version.")
    parser.add_argument("version")
    version = parser.parse_args().version
    found = section((ROOT / "CHANGELOG.md").read_text(), version)
    if not found:
        print(f"CHANGELOG.md has no section [{version}].", file=sys.stderr)
        return REFUSED
    print(found.text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
