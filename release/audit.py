"""Looks up every locked package in OSV, a database of known vulnerabilities.

Exit status 1 if a package has one, 69 if the database gives no answer: nothing is said then, neither good nor bad.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from checkout import NOT_POSSIBLE_HERE, ROOT

# what users install comes first, then what builds and checks it
FIRST = ("runtime", "image")
LOCKS = sorted((ROOT / "requirements").glob("*.txt"), key=lambda lock: (lock.stem not in FIRST, lock.stem))


def ask(lock: Path) -> dict[str, Any] | None:
    """The answer of pip-audit; None if there is none."""
    with TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        subprocess.run(
            [
                *(sys.executable, "-m", "pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip"),
                *("--vulnerability-service", "osv", "--timeout", "15", "--progress-spinner", "off"),
                *("--format", "json", "--output", answer),
            ],
            capture_output=True,
            check=False,
        )
        return json.loads(answer.read_text()) if answer.exists() else None


def vulnerabilities(answer: dict[str, Any]) -> list[str]:
    """One line each. Raises LookupError for a package that was not looked up: it is not known to be good."""
    found = []
    for package in answer["dependencies"]:
        if reason := package.get("skip_reason"):
            raise LookupError(reason)
        for vulnerability in package["vulns"]:
            fixed = " or ".join(vulnerability["fix_versions"]) or "no version yet"
            found.append(f"{package['name']} {package['version']}: {vulnerability['id']}, mended in {fixed}")
    return found


def main() -> int:
    found: dict[str, None] = {}
    for lock in LOCKS:
        answer = ask(lock)
        if answer is None:
            print("The database of known vulnerabilities (OSV) cannot be asked from here.", file=sys.stderr)
            return NOT_POSSIBLE_HERE
        try:
            found |= dict.fromkeys(vulnerabilities(answer))
        except LookupError as error:
            print(f"{lock.name} is only looked up in part: {error}", file=sys.stderr)
            return 1
    if found:
        print(*found, sep="\n", file=sys.stderr)
        return 1
    print(f"No known vulnerability in {', '.join(lock.name for lock in LOCKS)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
