"""Unknown names in sentences about mistakes: shortened, and with the known name that was probably meant."""

import difflib
from collections.abc import Iterable

# of an unknown name so much is repeated in an error
_MAX_NAME = 60


def short(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."


def suggestion(name: str, names: Iterable[str]) -> str:
    """The end of a sentence about an unknown name."""
    names = list(names)
    # the right key in a wrong section
    same = [path for path in names if path.rpartition(".")[2] == name.rpartition(".")[2]]
    near = same if len(same) == 1 else difflib.get_close_matches(short(name), names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(names)}."
