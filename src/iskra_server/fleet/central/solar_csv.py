"""The division of a house's solar power as CSV: exact Wh; the house itself is the row without a participant."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TextIO
from zoneinfo import ZoneInfo

from iskra_server.base.csv_lines import csv_line, unguarded
from iskra_server.base.legal_note import LEGAL_NOTE
from iskra_server.fleet.central.solar_allocation import MonthlyShare, SharedQuarter
from iskra_server.history.model.periods import quarter_instant
from iskra_server.meter.reading import scaled

_ENERGIES = ("generation_wh", "consumption_wh", "share_wh", "residual_wh", "surplus_wh")
QUARTER_COLUMNS = ("begin", "participant", *_ENERGIES, "lacking", "note")
MONTH_COLUMNS = ("month", "participant", *_ENERGIES, "quarters", "not_divided", "lacking", "note")
NOTE = f"A trial calculation. {LEGAL_NOTE['en']}"
PLANT = "plant"


def write_quarters(
    quarters: Iterable[SharedQuarter], scaler: int, file: TextIO, tz: ZoneInfo
) -> Iterator[SharedQuarter]:
    """Each quarter again once it is written: of a year there are too many to hold.

    `lacking` names what had no energy, the plant or participants; such a quarter was not divided. Only the first row
    has the note, which is longer than a row.
    """
    file.write(csv_line(QUARTER_COLUMNS))
    note = NOTE
    for quarter in quarters:
        at = quarter_instant(quarter.quarter, tz)
        used = list(quarter.consumption.values())
        total = None if None in used else sum(energy or 0 for energy in used)
        shared = None if quarter.lacking else sum(quarter.shares.values())
        lacking = "; ".join(name or PLANT for name in quarter.lacking)
        energies = (quarter.generation, total, shared, _difference(total, shared), quarter.surplus)
        file.write(csv_line((at, "", *_texts(energies, scaler), lacking, note)))
        note = ""
        for name, energy in quarter.consumption.items():
            share = quarter.shares.get(name)
            own = _texts((None, energy, share, _difference(energy, share), None), scaler)
            file.write(csv_line((at, name, *own, "", "")))
        yield quarter


def write_months(months: Iterable[MonthlyShare], scaler: int, file: TextIO) -> None:
    """`quarters` are in the sums, `not_divided` are not, `lacking` of these because of the participant or the plant."""
    file.write(csv_line(MONTH_COLUMNS))
    for month in months:
        year, number = month.month
        of_house = None if month.participant else month.generation, None if month.participant else month.surplus
        energies = of_house[0], month.consumption, month.share, month.consumption - month.share, of_house[1]
        counts = month.divided, month.undivided, month.lacking
        file.write(csv_line((f"{year}-{number:02}", month.participant, *_texts(energies, scaler), *counts, NOTE)))


def read_key(file: TextIO) -> dict[str, Decimal]:
    """A static key: the columns `participant` and `share`, such as 0.125 or 12.5%. Raises ValueError."""
    parts: dict[str, Decimal] = {}
    rows = csv.DictReader(file, skipinitialspace=True)
    if not {"participant", "share"} <= set(rows.fieldnames or ()):
        raise ValueError("it needs a header with participant and share")
    for number, row in enumerate(rows, 2):
        name, text = unguarded((row["participant"] or "").strip()), (row["share"] or "").strip()
        if name in parts:
            raise ValueError(f"line {number} names {name} again")
        try:
            part = Decimal(text.removesuffix("%").strip())
            parts[name] = part.scaleb(-2) if text.endswith("%") else part
            is_part = 0 <= parts[name] <= 1
        except ArithmeticError:
            is_part = False
        if not is_part:
            raise ValueError(f"the share '{text}' in line {number} is no part from 0 to 1, such as 0.125 or 12.5%")
    return parts


def _difference(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def _texts(energies: Iterable[int | None], scaler: int) -> list[str]:
    return ["" if energy is None else f"{scaled(energy, scaler):f}" for energy in energies]
