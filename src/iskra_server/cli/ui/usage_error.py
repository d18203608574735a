"""The error that ends a command: one sentence for the user, an exit status, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager


class UsageError(Exception):
    """A sentence that names the thing and the fix, and the exit status: 2 for wrong usage, 1 for other reasons."""

    def __init__(self, sentence: str, status: int = 2) -> None:
        super().__init__(sentence)
        self.status = status


def as_sentence(error: ValueError) -> str:
    """The text of an error with a full stop, and with a capital letter unless it begins with a name or an address."""
    text = str(error)
    start = text[:1].upper() if text.partition(" ")[0].isalpha() else text[:1]
    return f"{start}{text[1:].rstrip('.')}."


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turns the ValueError of what the user wrote into UsageError."""
    try:
        yield
    except ValueError as error:
        raise UsageError(as_sentence(error)) from None
