"""Energy and cost of today and of this month: what history counted since then, and what the counter shows now. Pure.

    quarter readings of history   begin |------|------| newest          energy = newest - begin
    counter                                           ~~~~~~x now            + now - newest

A period is that of the newest reading in history, in the time zone of Home Assistant: after midnight it is over, and
there is no number, until history has the reading of midnight. Then the complete energy of the day before is known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from .model import Meter

Json = Mapping[str, Any]

# how the server's API names a period, and the one before
PERIODS: Final = {"today": ("today", "yesterday"), "month": ("this_month", "last_month")}
_COUNTERS: Final = {"import": "energy_import", "export": "energy_export"}
_QUARTER: Final = timedelta(minutes=15)
_WH_TO_KWH: Final = -3


@dataclass(frozen=True, slots=True)
class Counted:
    """`energy_kwh` from the begin of the period until `newest`, when the counter of `epoch` showed `shown_kwh`.

    `since` is None where the reading at the begin was measured, else the time of the first one behind it.
    """

    energy_kwh: Decimal
    shown_kwh: Decimal
    epoch: int
    since: datetime | None
    newest: datetime


@dataclass(frozen=True, slots=True)
class Cost:
    """Until the newest quarter-hour of history. `unpriced_kwh`: energy whose price is not known, beside the amount."""

    amount: Decimal
    currency: str
    unpriced_kwh: Decimal


@dataclass(frozen=True, slots=True)
class Period:
    """`counted` by the name of the register. It is complete where `newest`, the last reading, is its end.

    Of several counters that the meter sends, the one that history has read last lags behind the others: its reading
    counts. An answer may have been computed while the readings of a quarter-hour were written.
    """

    begin: datetime
    end: datetime
    newest: datetime
    counted: Mapping[str, Counted]
    cost: Cost | None = None

    @property
    def is_complete(self) -> bool:
        return self.newest >= self.end

    def energy_kwh(self, name: str, meter: Meter) -> Decimal | None:
        """What the period has counted when the meter shows this; None where history has not come so far."""
        counted = self.counted.get(name)
        if counted is None or self.is_complete:
            return counted.energy_kwh if counted else None
        register = meter.registers.get(name)
        if register is None or not register.is_number or not self.holds(meter) or meter.epoch > counted.epoch:
            return None
        more_kwh = Decimal(register.state) - counted.shown_kwh
        return counted.energy_kwh + more_kwh if more_kwh >= 0 else None

    def holds(self, meter: Meter) -> bool:
        """Whether the newest telegram of the meter belongs to this period."""
        return meter.last_seen is not None and self.begin <= meter.last_seen < self.end

    def lacks(self, names: Collection[str]) -> bool:
        """Whether one of these counters is not in it."""
        return not self.counted.keys() >= set(names)

    def is_behind(self, meter: Meter) -> bool:
        """Whether history may know more by now: a later quarter-hour, or another counter that the meter sends."""
        is_late = meter.last_seen is not None and meter.last_seen - self.newest >= _QUARTER
        return is_late or self.lacks(counters_of(meter))


def counters_of(meter: Meter) -> list[str]:
    """The names of the counters whose energy is shown by period, of those that the meter sends now."""
    return [name for name in _COUNTERS.values() if name in meter.registers]


def period_from(answer: Json, sent: Collection[str]) -> Period | None:
    """Of the route `energy`, of a meter that sends these counters; None without a reading in the period.

    Raises UNREADABLE for anything else.
    """
    begin, end = (datetime.fromisoformat(answer[name]) for name in ("begin", "end"))
    answers = [answer[name] for name in _COUNTERS if "last" in answer.get(name, ())]
    counted = {counter["name"]: _counted(counter, begin) for counter in answers}
    if not counted:
        return None
    # one that is no longer sent has ended
    newest = [one.newest for name, one in counted.items() if name in sent] or [one.newest for one in counted.values()]
    return Period(begin, end, min(newest), counted)


def cost_from(answer: Json) -> Cost | None:
    """Of the route `cost`; None without a contract. Raises UNREADABLE for anything else."""
    total = answer.get("total")
    if total is None or "currency" not in answer:
        return None
    unpriced_wh = sum(Decimal(total.get(f"unpriced_{name}_wh", 0)) for name in _COUNTERS)
    return Cost(Decimal(total["total_amount"]), answer["currency"], Decimal(unpriced_wh).scaleb(_WH_TO_KWH))


def _counted(counter: Json, begin: datetime) -> Counted:
    first, last = counter["first"], counter["last"]
    since = datetime.fromisoformat(first["at"])
    return Counted(
        energy_kwh=(Decimal(last["continuous_wh"]) - Decimal(first["continuous_wh"])).scaleb(_WH_TO_KWH),
        shown_kwh=Decimal(last["register_wh"]).scaleb(_WH_TO_KWH),
        epoch=int(last["epoch"]),
        since=since if since > begin else None,
        newest=datetime.fromisoformat(last["at"]),
    )
