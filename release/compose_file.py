"""Writes the docker-compose.yml of a release: it names the image that was published, and builds nothing.

python release/compose_file.py --image ghcr.io/OWNER/iskra-electricity-server:latest > dist/docker-compose.yml
"""

import argparse
import re
import sys

from checkout import REFUSED, ROOT

# a name as docker takes it, with the host of its registry and a tag
_IMAGE = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+:[A-Za-z0-9_][A-Za-z0-9._-]*")
_DEFAULT = re.compile(r"\$\{ISKRA_IMAGE:-[^}]*\}")
# lines about a checkout, which is not where this file will be
_CHECKOUT = re.compile(r"^.*\b(checkout|build: \.)(?: .*)?\n", re.MULTILINE)


def compose_file(source: str, image: str) -> str:
    """The compose file of the repository, for a folder without it; `image` "": the one that it names.

    Raises ValueError for what names no image.
    """
    # the other file lies beside this one in the release
    text = _CHECKOUT.sub("", source).replace("deploy/docker-compose", "docker-compose")
    if not image:
        return text
    if not _IMAGE.fullmatch(image):
        raise ValueError(f"'{image}' is no image with registry and tag, such as ghcr.io/OWNER/NAME:latest")
    return _DEFAULT.sub(f"${{ISKRA_IMAGE:-{image}}}", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="", help="with its registry and a tag; without it the one of the repository")
    given = parser.parse_args()
    try:
        print(compose_file((ROOT / "docker-compose.yml").read_text(), given.image.lower()), end="")
    except ValueError as error:
        print(f"{error}.", file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
