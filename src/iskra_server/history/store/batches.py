"""Keys in batches: a statement takes only so many parameters."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

# SQLite takes 32,766
MAX_KEYS = 5_000
Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int = MAX_KEYS) -> Iterator[Sequence[Item]]:
    """The items in their order, at most `size` at once."""
    return (items[start : start + size] for start in range(0, len(items), size))
