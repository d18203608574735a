"""The whole release short of uploading: `make release-check VERSION=1.2.3`.

Runs the make targets that the workflow runs and says for each step whether it passed, failed or is not possible here,
and why. Then come the artefacts with size and SHA-256. Exit status 1 if a step failed, 2 if the version is not the one
of the code.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import artefacts
import changelog
import guard
from checkout import NOT_POSSIBLE_HERE, REFUSED, ROOT, ReleaseError, changed_files, commit

# the owner is only known to the forge
EXAMPLE_IMAGE = "registry.example/owner/iskra-electricity-server:latest"
PASSED, FAILED, NOT_HERE = "passed", "failed", "not possible here"


@dataclass(frozen=True)
class Outcome:
    """`reason` is one line; of a step that passed, what it found."""

    state: str
    reason: str = ""


def outcome_of(problems: list[str]) -> Outcome:
    return Outcome(FAILED, " ".join(problems)) if problems else Outcome(PASSED)


def check_tree() -> Outcome:
    changed = changed_files()
    if not changed:
        return Outcome(PASSED, f"commit {commit()[:12]}")
    count = "1 file differs" if len(changed) == 1 else f"{len(changed)} files differ"
    return Outcome(FAILED, f"{count} from commit {commit()[:12]}, first {changed[0]}; commit or remove them.")


def check_changelog(version: str) -> Outcome:
    """Before the tag, the lines may still be under Unreleased."""
    text = (ROOT / guard.CHANGELOG).read_text()
    unreleased = changelog.section(text, changelog.UNRELEASED)
    if changelog.section(text, version) is None and unreleased and unreleased.text:
        lines = len(unreleased.text.splitlines())
        return Outcome(
            NOT_HERE,
            f"no section yet: before the tag, rename [Unreleased] ({lines} lines) to [{version}] - YYYY-MM-DD.",
        )
    return outcome_of(guard.changelog_problems(version))


def check_frozen(version: str) -> Outcome:
    return outcome_of(guard.frozen_problems(version))


def check_tag(version: str, branch: str) -> Outcome:
    if version not in guard.released_versions():
        return Outcome(NOT_HERE, f"there is no tag v{version} yet.")
    return outcome_of(guard.tag_problems(f"v{version}", branch))


def write_notes(version: str) -> Outcome:
    text = (ROOT / guard.CHANGELOG).read_text()
    section = changelog.section(text, version) or changelog.section(text, changelog.UNRELEASED)
    if not section or not section.text:
        return Outcome(FAILED, f"{guard.CHANGELOG} has neither a section [{version}] nor lines under [Unreleased].")
    (artefacts.DIST / artefacts.NOTES).write_text(section.text + "\n")
    return Outcome(PASSED, f"{artefacts.NOTES}, from [{section.name}]")


def make(target: str, *variables: str) -> Outcome:
    """Runs one make target; its last line of output is the reason."""
    done = subprocess.run(
        ["make", "--silent", "--no-print-directory", target, *variables],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    sys.stderr.write(done.stdout)
    said = [line for line in done.stdout.splitlines() if line.strip() and not line.startswith("make")]
    last = said[-1].strip() if said else ""
    if not done.returncode:
        return Outcome(PASSED, last)
    # make itself ends with 2 whatever the script ended with
    if re.search(rf"^make.*: \*\*\* .* Error {NOT_POSSIBLE_HERE}$", done.stdout, re.MULTILINE):
        return Outcome(NOT_HERE, last)
    return Outcome(FAILED, last)


def write_sums() -> Outcome:
    return Outcome(PASSED, f"{artefacts.SUMS}, {artefacts.write_sums()} files")


def steps(version: str, branch: str) -> dict[str, Callable[[], Outcome]]:
    """Name of a step, and what does it, in order."""
    return {
        "checkout": check_tree,
        "changelog": lambda: check_changelog(version),
        "frozen": lambda: check_frozen(version),
        "tag": lambda: check_tag(version, branch),
        "dist, twice": lambda: make("dist"),
        "sbom": lambda: make("sbom"),
        "deb": lambda: make("deb", "DIST=built"),
        "documentation": lambda: make("docs-site"),
        "image": lambda: make("image"),
        "compose file": lambda: make("compose-file", f"IMAGE={EXAMPLE_IMAGE}"),
        "app repository": lambda: make("app-repository"),
        "release notes": lambda: write_notes(version),
        "checksums": write_sums,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", nargs="?", default="")
    parser.add_argument("--branch", default="HEAD", help="branch that releases are made from")
    parser.add_argument("--only", help="names of steps, separated by commas", default="")
    given = parser.parse_args()
    if not given.version:
        print("Say which version: make release-check VERSION=1.2.3", file=sys.stderr)
        return REFUSED
    if problems := guard.version_problems(given.version):
        print(*problems, sep="\n", file=sys.stderr)
        return REFUSED
    # what an earlier run left is no artefact of this one
    shutil.rmtree(artefacts.DIST, ignore_errors=True)
    artefacts.DIST.mkdir()
    outcomes = {}
    for name, do in steps(given.version, given.branch).items():
        if given.only and name not in given.only.split(","):
            continue
        print(f"== {name}", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            outcomes[name] = do()
        except ReleaseError as error:
            outcomes[name] = Outcome(FAILED, str(error))
        print(
            f"{name:16} {outcomes[name].state:18} {time.monotonic() - began:5.0f} s  {outcomes[name].reason}",
            flush=True,
        )
    print()
    print(*artefacts.table(), sep="\n")
    return int(any(outcome.state == FAILED for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
