"""Version numbers as we use them: 1.2.3, and before it 1.2.3a1, 1.2.3b1 and 1.2.3rc1."""

import re
from collections.abc import Iterable

_FORM = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?")


def is_version(text: str) -> bool:
    return bool(_FORM.fullmatch(text))


def is_prerelease(version: str) -> bool:
    return order(version)[3:] != FINAL


# after "a", "b" and "rc"
FINAL = ("z", 0)


def order(version: str) -> tuple[int, int, int, str, int]:
    """A key to sort by; raises ValueError."""
    match = _FORM.fullmatch(version)
    if not match:
        raise ValueError(version)
    major, minor, patch, stage, number = match.groups()
    return int(major), int(minor), int(patch), *((stage, int(number)) if stage else FINAL)


def image_tags(version: str, released: Iterable[str]) -> list[str]:
    """The tags of an image: 1.2.3, and 1.2, 1 and latest where no newer stable version has them.

    A pre-release has its own tag alone. There is no tag 0, as 0.2 may break what 0.1 promised.
    """
    own = order(version)
    if is_prerelease(version):
        return [version]
    stable = [order(other) for other in released if is_version(other) and not is_prerelease(other)]
    tags = [version]
    for length in (2, 1, 0):
        newest = max((other for other in stable if other[:length] == own[:length]), default=own)
        if newest <= own and own[:length] != (0,):
            tags.append(".".join(map(str, own[:length])) or "latest")
    return tags
