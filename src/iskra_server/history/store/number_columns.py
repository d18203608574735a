"""Columns of numbers out of a database as one text each: 350,000 of them in 0.05 s, where rows would take 0.4 s."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Select, Text, cast, func, select

from iskra_server.history.store.schema import quarter_reading


def as_text(column: Column[int]) -> ColumnElement[str]:
    """All values of a query, in the order in which the database reads them: the same for all its columns."""
    return func.aggregate_strings(cast(column, Text), ",")


def columns_as_text(number: ColumnElement[int], first: int, end: int) -> Select[Any]:
    """One row: all quarters and all raw values of a period as texts, and whether scaler and epoch are the same."""
    column = quarter_reading.c
    values: list[ColumnElement[Any]] = [
        as_text(column.quarter).label("quarters"),
        as_text(column.raw).label("raws"),
        func.min(column.scaler).label("scaler"),
        func.max(column.scaler).label("max_scaler"),
        func.min(column.epoch).label("epoch"),
        func.max(column.epoch).label("max_epoch"),
    ]
    condition = column.series == number, column.quarter >= first, column.quarter < end
    return select(*values).where(*condition)


def numbers(text: str | None) -> list[int]:
    return msgspec.json.decode(f"[{text or ''}]", type=list[int])


def in_order(keys: Sequence[int], values: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Both in the order of the keys. SQLite reads in that of its key, PostgreSQL in any."""
    ordered = sorted(keys)
    if ordered == keys:
        return keys, values
    by_key = dict(zip(keys, values, strict=True))
    return ordered, [by_key[key] for key in ordered]
