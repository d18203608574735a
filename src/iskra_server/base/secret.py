"""Text that is never printed: `str`, `repr`, `format`, logs and tracebacks show `***`; JSON and pickle refuse it."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus, unquote

MASK: Final = "***"
# shorter strings occur by chance, so they are not searched for
MIN_CHARACTERS = 4


class Secret:
    """`reveal()` is the text. Equal where the texts are equal; false where the text is empty."""

    __slots__ = ("_text",)

    def __init__(self, text: "str | Secret" = "") -> None:
        self._text = text if isinstance(text, str) else text.reveal()

    def reveal(self) -> str:
        """For opening a connection and comparing; never for a message."""
        return self._text

    def parts(self) -> tuple[str, ...]:
        """The strings that must not be printed."""
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
        raise TypeError(f"a {type(self).__name__} cannot be pickled")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self


def forms(secret: str) -> Iterator[str]:
    """The forms in which a text can contain a secret: plain, URL-encoded, as a literal, reversed, in hex, in base64."""
    data = secret.encode(errors="surrogateescape")
    plain = unquote(secret)
    for text in (secret, plain):
        yield from (text, quote(text, errors="replace"), quote(text, safe="", errors="replace"))
        yield from (quote_plus(text, errors="replace"), repr(text)[1:-1], json.dumps(text)[1:-1])
        yield from (json.dumps(text, ensure_ascii=False)[1:-1], text[::-1])
    yield from (data.hex(), base64.b64encode(data).decode().rstrip("="))
    yield base64.b64encode(plain.encode(errors="surrogateescape")).decode().rstrip("=")


def searchable_forms(secrets: Iterable[Secret], shortest: int = MIN_CHARACTERS) -> set[str]:
    """All forms of all parts of the secrets that are long enough to search for."""
    parts = {part for secret in secrets for part in secret.parts()}
    return {form for part in parts for form in forms(part) if len(form) >= shortest}


def masking(secrets: Iterable[Secret], shortest: int = MIN_CHARACTERS) -> Callable[[str], str]:
    """A function that masks these secrets in a text of other origin, such as an error of a library."""
    strings = searchable_forms(secrets, shortest)
    if not strings:
        return str
    # longest first: an address before the password in it
    pattern = re.compile("|".join(map(re.escape, sorted(strings, key=len, reverse=True))))
    return lambda text: pattern.sub(MASK, text)
