"""Versions in the order of Debian: a `~` sorts before everything, the end of the version included."""

import re
from collections.abc import Sequence

# what PEP 440 allows in __version__: 1.2.3, 1.2.3a1, 1.2.3b1, 1.2.3rc1, 1.2.3.post1, 1.2.3.dev1
_VERSION = re.compile(r"(?P<release>\d+(\.\d+)*)(?P<pre>(a|b|rc)\d+)?(\.(?P<post>post\d+))?(\.(?P<dev>dev\d+))?")


def debian_version(version: str, suite_number: int, revision: int = 1) -> str:
    """ "0.1.0rc1" becomes "0.1.0~rc1-1~deb12": below 0.1.0, and below the package of the next Debian.

    A number, as the names of Debian's releases are in no order: forky would sort before trixie.
    """
    match = _VERSION.fullmatch(version)
    if not match:
        raise ValueError(
            f"The version {version} has no form that is known: 1.2.3, 1.2.3rc1, 1.2.3.post1 or 1.2.3.dev1."
        )
    parts: Sequence[tuple[str, str]] = (("~", "pre"), ("+", "post"), ("~~", "dev"))
    upstream = match["release"] + "".join(sign + match[name] for sign, name in parts if match[name])
    return f"{upstream}-{revision}~deb{suite_number}"
