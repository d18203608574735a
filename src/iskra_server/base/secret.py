"""A text that nobody may see: it has no printed form but `***`, and is revealed only where it is used.

`str`, `repr`, `format`, a log line and a traceback give the mask; encoders of JSON and pickles refuse it.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus, unquote

MASK: Final = "***"
# shorter ones stand everywhere by chance
TELLING_CHARACTERS = 4


class Secret:
    """`reveal()` is the text; two secrets are equal when their texts are. An empty one is false."""

    __slots__ = ("_text",)

    def __init__(self, text: "str | Secret" = "") -> None:
        self._text = text if isinstance(text, str) else text.reveal()

    def reveal(self) -> str:
        """For whoever opens a connection or compares it; never for a sentence."""
        return self._text

    def parts(self) -> tuple[str, ...]:
        """What of it must not be seen."""
        return (self._text,) if self._text else ()

    def __str__(self) -> str:
        return MASK if self._text else ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError(f"a {type(self).__name__} is not to be stored")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self


def forms(secret: str) -> Iterator[str]:
    """The forms in which a secret can stand in a text: as it is, as in an address, in a program, in hex, base64."""
    data = secret.encode(errors="surrogateescape")
    plain = unquote(secret)
    for text in (secret, plain):
        yield from (text, quote(text, errors="replace"), quote(text, safe="", errors="replace"))
        yield from (quote_plus(text, errors="replace"), repr(text)[1:-1], json.dumps(text)[1:-1])
        yield from (json.dumps(text, ensure_ascii=False)[1:-1], text[::-1])
    yield from (data.hex(), base64.b64encode(data).decode().rstrip("="))
    yield base64.b64encode(plain.encode(errors="surrogateescape")).decode().rstrip("=")


def telling_forms(secrets: Iterable[Secret], shortest: int = TELLING_CHARACTERS) -> set[str]:
    """All forms of all parts of secrets, but for those that are too short to look for."""
    parts = {part for secret in secrets for part in secret.parts()}
    return {form for part in parts for form in forms(part) if len(form) >= shortest}


def masking(secrets: Iterable[Secret], shortest: int = TELLING_CHARACTERS) -> Callable[[str], str]:
    """Takes these secrets out of a text that somebody else has written: an error of a library, a traceback."""
    found = telling_forms(secrets, shortest)
    if not found:
        return str
    # the longest first: a whole address before the password in it
    pattern = re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True))))
    return lambda text: pattern.sub(MASK, text)
