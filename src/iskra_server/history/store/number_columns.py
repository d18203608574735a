"""Columns of numbers out of a database as one text each: 350,000 of them in 0.05 s, where rows would take 0.4 s."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Column, ColumnElement, Text, cast, func


def as_text(column: Column[int]) -> ColumnElement[str]:
    """All values of a query, in the order in which the database reads them: the same for all its columns."""
    return func.aggregate_strings(cast(column, Text), ",")


def numbers(text: str | None) -> list[int]:
    return msgspec.json.decode(f"[{text or ''}]", type=list[int])


def in_order(keys: Sequence[int], values: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Both in the order of the keys. SQLite reads in that of its key, PostgreSQL in any."""
    ordered = sorted(keys)
    if ordered == keys:
        return keys, values
    by_key = dict(zip(keys, values, strict=True))
    return ordered, [by_key[key] for key in ordered]
