"""Refuses a release whose tag, version and changelog disagree: `guard.py v1.2.3 --branch origin/main`.

Prints what the jobs of the release need, as lines name=value: version, prerelease, latest, image_tags. Needs git, and
nothing but the standard library.
"""

import argparse
import re
import sys
from datetime import date
from pathlib import Path

import changelog
import versions
from checkout import REFUSED, ROOT, VERSION_FILE, VERSION_LINE, ReleaseError, git

# the version, and what repeats it
PLACES = {
    VERSION_FILE: VERSION_LINE,
    "deploy/homeassistant/iskra_server/config.yaml": r'^version: "(.+)"$',
    "deploy/homeassistant/iskra_server_host_network/config.yaml": r'^version: "(.+)"$',
}
CHANGELOG = "CHANGELOG.md"
# what docs/compatibility.md promises of each version, and the module that writes it
FROZEN = {
    "tests/frozen_interfaces/{version}.txt": "interfaces",
    "tests/history/store/frozen/{version}.sqlite.sql": "history.store.freezing",
    "tests/history/store/frozen/{version}.postgresql.sql": "history.store.freezing",
}


def version_problems(version: str, root: Path = ROOT) -> list[str]:
    """What contradicts this version in the files that name it."""
    if not versions.is_version(version):
        return [f"{version} is no version: it is 1.2.3, or 1.2.3rc1 before it."]
    problems = []
    for name, pattern in PLACES.items():
        found = re.search(pattern, (root / name).read_text(), re.MULTILINE)
        if not found or found[1] != version:
            problems.append(f"{name} says {found[1] if found else 'no version'} and not {version}; change one of them.")
    return problems


def changelog_problems(version: str, root: Path = ROOT) -> list[str]:
    """What is missing in the changelog for a release of this version."""
    sections = changelog.sections((root / CHANGELOG).read_text())
    if sections and sections[0].name == changelog.UNRELEASED:
        unreleased = sections.pop(0)
        if unreleased.text:
            return [
                f"{CHANGELOG} still has lines under [{unreleased.name}]; "
                f"for a release they belong under the heading ## [{version}] - YYYY-MM-DD."
            ]
    if not sections or sections[0].name != version:
        newest = f"begins with [{sections[0].name}]" if sections else "has no section"
        return [f"{CHANGELOG} {newest}; a release of {version} needs the section ## [{version}] - DATE there."]
    if not sections[0].text:
        return [f"{CHANGELOG}: the section [{version}] is empty; say what is new."]
    try:
        date.fromisoformat(sections[0].date)
    except ValueError:
        return [f"{CHANGELOG}: the heading of {version} has no date; write ## [{version}] - YYYY-MM-DD."]
    return []


def frozen_problems(version: str, root: Path = ROOT) -> list[str]:
    """Which of its frozen files a stable version lacks: without them no test notices what a later one breaks."""
    files = {} if versions.is_prerelease(version) else {name.format(version=version): FROZEN[name] for name in FROZEN}
    return [
        f"{name} is missing; write it with: PYTHONPATH=tests python -m {module}"
        for name, module in files.items()
        if not (root / name).exists()
    ]


def tag_problems(tag: str, branch: str, root: Path = ROOT) -> list[str]:
    """What is wrong with the tag itself; `branch` is the one that releases are made from.

    A fix of an older line is on a branch of its own beside it, which is named as the line is: 0.1.
    """
    reference = f"refs/tags/{tag}"
    form = "%(objecttype) %(contents:signature)"
    kind, _, signature = git("for-each-ref", f"--format={form}", reference, root=root).partition(" ")
    if not kind:
        return [f"There is no tag {tag} here; make it with: git tag --sign {tag}"]
    problems = []
    if kind != "tag" or not signature:
        problems.append(f"Tag {tag} is not signed; delete it and make it again with: git tag --sign {tag}")
    tagged = git("rev-parse", f"{reference}^{{commit}}", root=root)
    if tagged != git("rev-parse", "HEAD", root=root):
        problems.append(f"Tag {tag} is on commit {tagged[:12]}, which is not the one checked out here.")
    line = branch.removesuffix(branch.rpartition("/")[2]) + ".".join(tag.removeprefix("v").split(".")[:2])
    if not any(is_on(tagged, name, root) for name in (branch, line)):
        problems.append(
            f"Tag {tag} is neither on {branch} nor on {line}; releases are made there. Merge first, then tag."
        )
    return problems


def is_on(commit: str, branch: str, root: Path) -> bool:
    """Whether there is such a branch, and it has the commit."""
    try:
        git("merge-base", "--is-ancestor", commit, branch, root=root)
    except ReleaseError:
        return False
    return True


def released_versions(root: Path = ROOT) -> list[str]:
    return [tag.removeprefix("v") for tag in git("tag", "--list", "v*", root=root).split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tag", help="v1.2.3")
    parser.add_argument("--branch", required=True, help="branch that the tag must be on")
    given = parser.parse_args()
    version = given.tag.removeprefix("v")
    try:
        problems = [] if given.tag.startswith("v") else [f"A tag of a release begins with v: v{version}"]
        problems += version_problems(version) or [*changelog_problems(version), *frozen_problems(version)]
        problems += tag_problems(given.tag, given.branch)
    except ReleaseError as error:
        problems = [str(error)]
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return REFUSED
    print(f"version={version}")
    print(f"prerelease={str(versions.is_prerelease(version)).lower()}")
    tags = versions.image_tags(version, released_versions())
    print(f"latest={str('latest' in tags).lower()}")
    print(f"image_tags={' '.join(tags)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
