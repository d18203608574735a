"""What a kWh costs now and in the quarter-hours ahead, from the server's route `prices`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

Json = Mapping[str, Any]
Column = Sequence[Decimal | None]

QUARTER: Final = timedelta(minutes=15)
_PLACES: Final = 6


@dataclass(frozen=True, slots=True)
class CheapestHours:
    """The cheapest hours in a row ahead; `price` is their mean."""

    begin: datetime
    end: datetime
    price: Decimal


@dataclass(frozen=True, slots=True)
class Prices:
    """Gross prices of a kWh by quarter-hour, from `begin` on; None where one is unknown. `cheapest` by hours."""

    begin: datetime
    currency: str
    imports: Column
    exports: Column
    cheapest: Mapping[int, CheapestHours]

    @property
    def changes(self) -> bool:
        """Whether energy from the grid does not always cost the same."""
        return len(set(self.imports) - {None}) > 1

    @property
    def pays_for_export(self) -> bool:
        return any(self.exports)

    def at(self, now: datetime, *, is_export: bool) -> Decimal | None:
        column = self.exports if is_export else self.imports
        place = (now - self.begin) // QUARTER
        return column[place] if 0 <= place < len(column) else None

    def ahead(self, now: datetime) -> list[dict[str, Any]]:
        """Those of energy from the grid from now on, as MQTT has them in `rates`."""
        first = max((now - self.begin) // QUARTER, 0)
        return [
            {
                "start": (self.begin + QUARTER * place).isoformat(),
                "end": (self.begin + QUARTER * (place + 1)).isoformat(),
                "value": float(round(price, _PLACES)),
            }
            for place, price in enumerate(self.imports)
            if place >= first and price is not None
        ]


def prices_from(answer: Json) -> Prices | None:
    """None without a contract. Raises UNREADABLE for anything else than an answer of the route."""
    if "currency" not in answer:
        return None
    return Prices(
        begin=datetime.fromisoformat(answer["begin"]),
        currency=answer["currency"],
        imports=_column(answer["import_amount"]),
        exports=_column(answer["export_amount"]),
        cheapest={item["hours"]: _cheapest(item) for item in answer["cheapest"]},
    )


def _column(numbers: Sequence[Any]) -> Column:
    return [None if number is None else Decimal(number) for number in numbers]


def _cheapest(item: Json) -> CheapestHours:
    begin, end = (datetime.fromisoformat(item[name]) for name in ("begin", "end"))
    return CheapestHours(begin, end, Decimal(item["price"]))
