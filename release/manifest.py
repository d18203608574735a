"""Gives the images of several architectures, pushed by digest, one name: `manifest.py NAME --tags "1.2.3 1.2" FILE...`.

Each file has the digest of one image. Prints the digest of what the tags mean from then on. Needs docker with buildx,
signed in at the registry.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from checkout import REFUSED

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def create_command(name: str, tags: list[str], digests: list[str]) -> list[str]:
    """The attestations of each image come along."""
    if wrong := [digest for digest in digests if not _DIGEST.fullmatch(digest)]:
        raise ValueError(f"{wrong[0]!r} is no digest of an image: it is sha256: and 64 hexadecimal digits.")
    return [
        *("docker", "buildx", "imagetools", "create"),
        *(argument for tag in tags for argument in ("--tag", f"{name}:{tag}")),
        *(f"{name}@{digest}" for digest in digests),
    ]


def inspect_command(name: str, tag: str) -> list[str]:
    return ["docker", "buildx", "imagetools", "inspect", f"{name}:{tag}", "--format", "{{json .Manifest}}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="registry/owner/name")
    parser.add_argument("files", nargs="+", type=Path, help="each with a digest, sha256:...")
    parser.add_argument("--tags", required=True, help="separated by spaces")
    given = parser.parse_args()
    tags = given.tags.split()
    try:
        digests = [file.read_text().strip() for file in given.files]
        subprocess.run(create_command(given.name, tags, digests), check=True, stdout=sys.stderr)
        inspected = subprocess.run(inspect_command(given.name, tags[0]), check=True, capture_output=True, text=True)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    print(json.loads(inspected.stdout)["digest"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
