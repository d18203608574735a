"""When digests and the rule about the base load are due, in local time, and what they say. Reads history.

A digest is sent once: its period is remembered over a restart. One that was due while the server was off is sent later,
for a few days; a digest of a time before notifications were set up is not sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.contracts import Contract
from iskra_server.history.model.periods import first_day
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.outputs.notify.digest_figures import DayPeriod, DigestFigures, Kind, base_load_of, digest_figures
from iskra_server.outputs.notify.digest_texts import digest_text
from iskra_server.outputs.notify.event_texts import base_load_text
from iskra_server.outputs.notify.memory import Memory
from iskra_server.outputs.notify.messages import MeterMessage

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.store import Store

KINDS: tuple[Kind, ...] = ("weekly", "monthly")
# days for which a digest can be late
_LATE_DAYS = {"weekly": 3, "monthly": 7}
# a text is read on a telephone, and each meter costs some queries
MAX_METERS = 10
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
# a rise of a few watts is noise, whatever its percentage
_MIN_RISE_W = 10


class DigestSettings(Struct, frozen=True):
    hour: int
    base_load_percent: Decimal
    contracts: tuple[Contract, ...]
    zone: str

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


class ReadMeter(Struct, frozen=True):
    """A meter that is read now; its `name` is its number where it has no other."""

    id: str
    name: str


def due_period(kind: Kind, now: datetime, hour: int) -> DayPeriod | None:
    """The period whose digest is due at a local time, or was a few days ago; None where there is none."""
    today = now.date()
    end = first_day(today, "week" if kind == "weekly" else "month")
    if (today - end).days > _LATE_DAYS[kind] or (today == end and now.hour < hour):
        return None
    return DayPeriod(end - _WEEK if kind == "weekly" else first_day(end - _DAY, "month"), end)


def skip_earlier(memory: Memory, now: datetime) -> None:
    """Notifications were just set up: digests of what was before are not sent."""
    for kind in KINDS:
        end = first_day(now.date(), "week" if kind == "weekly" else "month")
        begin = end - _WEEK if kind == "weekly" else first_day(end - _DAY, "month")
        memory.digests[kind] = begin.isoformat()
    memory.base_load_day = now.date().isoformat()


def is_due(memory: Memory, settings: DigestSettings, now: datetime) -> bool:
    return bool(_due(memory, settings, now)) or _is_base_load_due(memory, settings, now)


class DueWork(Struct, frozen=True):
    """What is due at a local time, and what history says about it."""

    periods: Mapping[Kind, DayPeriod]
    messages: list[MeterMessage]
    base_loads: "list[BaseLoad] | None"


def read_due(
    store: "Store", meters: Sequence[ReadMeter], memory: Memory, settings: DigestSettings, now: datetime
) -> DueWork:
    """Blocks, and changes nothing. Raises StoreError."""
    due = _due(memory, settings, now)
    messages = [message for one in due.items() for message in _digest(store, meters, one, settings, now)]
    has_rule = _is_base_load_due(memory, settings, now)
    return DueWork(due, messages, list(_base_loads(store, meters, now.date(), settings.tz)) if has_rule else None)


def remember(work: DueWork, memory: Memory, settings: DigestSettings, now: datetime) -> list[MeterMessage]:
    """The messages, remembered as sent."""
    messages = list(work.messages)
    if work.base_loads is not None:
        messages += _rises(work.base_loads, memory, settings, now)
        memory.base_load_day = now.date().isoformat()
    memory.digests |= {kind: period.begin.isoformat() for kind, period in work.periods.items()}
    return messages


def _due(memory: Memory, settings: DigestSettings, now: datetime) -> Mapping[Kind, DayPeriod]:
    periods = {kind: due_period(kind, now, settings.hour) for kind in KINDS}
    return {
        kind: period
        for kind, period in periods.items()
        if period and memory.digests.get(kind, "") < period.begin.isoformat()
    }


def _is_base_load_due(memory: Memory, settings: DigestSettings, now: datetime) -> bool:
    has_rule = settings.base_load_percent > 0 and now.hour >= settings.hour
    return has_rule and memory.base_load_day != now.date().isoformat()


def _digest(
    store: "Store", meters: Sequence[ReadMeter], due: tuple[Kind, DayPeriod], settings: DigestSettings, now: datetime
) -> Iterator[MeterMessage]:
    tz, (kind, period) = settings.tz, due
    figures: dict[str, DigestFigures] = {}
    simulated = False
    for meter in meters[:MAX_METERS]:
        recorded = recorded_meter(store, (meter.id,))
        if recorded is None:
            continue
        found = digest_figures(recorded, kind, period, settings.contracts, now=now, tz=tz)
        if found:
            figures[meter.name] = found
            simulated = simulated or recorded.simulated
    if not figures:
        return
    one = next(iter(figures.values())) if len(figures) == 1 else None
    meter = next(meter for meter in meters if meter.name in figures) if one else ReadMeter("", "")
    yield MeterMessage(
        kind,
        "report",
        now,
        {"en": digest_text(kind, period, figures, "en", tz), "de": digest_text(kind, period, figures, "de", tz)},
        meter=meter.id,
        meter_name=meter.name if meter.name != meter.id else "",
        simulated=simulated,
        values=_values(one) if one else {},
    )


def _values(figures: DigestFigures) -> dict[str, Decimal]:
    values = {
        "import_wh": figures.energies.import_wh,
        "export_wh": figures.energies.export_wh,
        "import_before_wh": figures.before.import_wh,
        "import_year_before_wh": figures.year_before.import_wh,
        "highest_quarter_w": figures.highest.power_w if figures.highest else None,
        "base_load_w": figures.base_load_w,
        "cost_amount": figures.cost.amount if figures.cost and not figures.cost.unpriced_wh else None,
    }
    return {name: value for name, value in values.items() if value is not None}


class BaseLoad(Struct, frozen=True):
    """Of the last seven nights and the seven before, in W."""

    meter: ReadMeter
    simulated: bool
    now_w: Decimal
    before_w: Decimal


def _base_loads(store: "Store", meters: Sequence[ReadMeter], today: date, tz: ZoneInfo) -> Iterator[BaseLoad]:
    """Until before today: its night may not be over."""
    for meter in meters[:MAX_METERS]:
        recorded = recorded_meter(store, (meter.id,))
        if recorded is None:
            continue
        now_w = base_load_of(recorded, DayPeriod(today - _WEEK, today), tz)
        before_w = base_load_of(recorded, DayPeriod(today - 2 * _WEEK, today - _WEEK), tz)
        if now_w is not None and before_w is not None:
            yield BaseLoad(meter, recorded.simulated, now_w, before_w)


def _rises(
    loads: Sequence[BaseLoad], memory: Memory, settings: DigestSettings, now: datetime
) -> Iterator[MeterMessage]:
    """A rise is told once, and again only after it was less than half the limit in between, at most once a week."""
    for load in loads:
        key, now_s = f"base_load {load.meter.id}", now.timestamp()
        percent = (load.now_w - load.before_w) * 100 / load.before_w if load.before_w > 0 else Decimal(0)
        if percent < settings.base_load_percent / 2:
            memory.end(key)
        is_rise = percent > settings.base_load_percent and load.now_w - load.before_w >= _MIN_RISE_W
        if is_rise and memory.begin(key, now_s, now_s, _WEEK.total_seconds()):
            yield MeterMessage(
                "base_load",
                "begin",
                now,
                base_load_text(load.meter.name, load.now_w, load.before_w),
                meter=load.meter.id,
                meter_name=load.meter.name if load.meter.name != load.meter.id else "",
                simulated=load.simulated,
                values={"base_load_w": load.now_w, "base_load_before_w": load.before_w},
            )
