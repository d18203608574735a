"""Unknown names in sentences about mistakes: shortened, and with the known name that was probably meant."""

import difflib
from collections.abc import Iterable

from iskra_server.base.language import Bilingual

# of an unknown name so much is repeated in an error
_MAX_NAME = 60


def short(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."


def suggestion(name: str, names: Iterable[str]) -> Bilingual:
    """The end of a sentence about an unknown name: the one that was probably meant, or all of its section."""
    names = list(names)
    section, _, last = name.rpartition(".")
    inside = {path.rpartition(".")[2]: path for path in names if path.rpartition(".")[0] == section}
    begun = [path for key, path in inside.items() if key.startswith(f"{last}_")]
    if len(begun) > 1:
        return f"; did you mean {_any(begun, 'or')}?", f"; meinten Sie {_any(begun, 'oder')}?"
    # the right key in a wrong section
    same = [path for path in names if path.rpartition(".")[2] == last]
    if len(same) == 1:
        near = same
    elif inside:
        # without the section, which would make every two of its keys alike
        near = [inside[key] for key in difflib.get_close_matches(short(last), inside, n=1)]
    else:
        near = difflib.get_close_matches(short(name), names, n=1)
    if near:
        return f"; did you mean {near[0]}?", f"; meinten Sie {near[0]}?"
    known = ", ".join(inside.values() or names)
    return f"; known are {known}.", f"; bekannt sind {known}."


def _any(paths: list[str], conjunction: str) -> str:
    return f"{', '.join(paths[:-1])} {conjunction} {paths[-1]}"
