"""The current readings as HTML, for browsers without JavaScript: each with its time, or why there is none.

The browser asks again every ten seconds (index.html), and no answer may be stored.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from html import escape
from operator import itemgetter
from zoneinfo import ZoneInfo

from iskra_server.base.clock import boottime_s
from iskra_server.base.exact_numbers import exact_number
from iskra_server.base.language import Language
from iskra_server.diagnosis.status import Status
from iskra_server.meter.lists import Shown, shown
from iskra_server.meter.lock import sends_locked
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import Sample
from iskra_server.meter.virtual_meter import is_virtual
from iskra_server.reading.virtual_readings import VirtualState
from iskra_server.web.server_view import ServerView

# the diagnosis of more sources takes too long for a page that is asked for every ten seconds
MAX_METERS = 20
_POWER = Obis.parse("16.7.0")
_KWH_SHIFT = -3
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "import": "Meter reading · 1.8.0",
        "export": "export · 2.8.0",
        "power": "Power",
        "from grid": "↓ from grid",
        "to grid": "↑ to grid",
        "time": "received",
        "simulated": "Simulated data – no real meter is being read.",
        "no total": "The meter has sent no current total (1.8.0).",
        "no reading": "No current reading.",
        "last seen": "last seen",
        "times": "Times are in {}. This page is loaded again every 10 seconds.",
        "more": "The last hour, history, cost and set-up need JavaScript. For programs, the reading is at",
    },
    "de": {
        "import": "Zählerstand · 1.8.0",
        "export": "Einspeisung · 2.8.0",
        "power": "Leistung",
        "from grid": "↓ Bezug aus dem Netz",
        "to grid": "↑ Einspeisung ins Netz",
        "time": "empfangen",
        "simulated": "Simulierte Daten – es wird kein echter Zähler gelesen.",
        "no total": "Der Zähler hat keinen aktuellen Gesamtstand (1.8.0) gesendet.",
        "no reading": "Kein aktueller Wert.",
        "last seen": "zuletzt empfangen",
        "times": "Die Zeiten gelten in {}. Diese Seite wird alle 10 Sekunden neu geladen.",
        "more": "Letzte Stunde, Verlauf, Kosten und Einrichten brauchen JavaScript. Für Programme steht der "
        "Zählerstand unter",
    },
}


def preferred_language(configured: str, accept_language: str) -> Language:
    """The configured language, else the first of an Accept-Language header that the page has, else English."""
    if configured in _WORDS:
        return "de" if configured == "de" else "en"
    # of the same weight in the order of the header
    weighted = sorted(map(_weighted, accept_language.lower().split(",")), key=itemgetter(0), reverse=True)
    names = (tag.strip().partition("-")[0] for weight, tag in weighted if weight > 0)
    return "de" if next((name for name in names if name in _WORDS), "en") == "de" else "en"


def _weighted(part: str) -> tuple[float, str]:
    """A language tag with its weight (RFC 9110, 12.4.2), 0 if that is no number."""
    tag, _, quality = part.partition(";")
    try:
        return float(quality.strip().removeprefix("q=") or 1), tag
    except ValueError:
        return 0.0, tag


def reading_html(server: ServerView | None, tz: str, language: Language) -> str:
    """The body of the page. Without a `server`, or with more meters than can be shown, it has no reading."""
    words = _WORDS[language]
    cards = _cards(server, ZoneInfo(tz), language) if server else ()
    more = f'{words["more"]} <a href="api/electricity/cumulated">/api/electricity/cumulated</a>.'
    return (
        f'<header><a class="brand" href="./">ISKRA Electricity</a></header><main lang="{language}">{"".join(cards)}'
        f'<p class="soft">{escape(words["times"].format(tz))} {more}</p></main>'
    )


def _cards(server: ServerView, tz: ZoneInfo, language: Language) -> Iterator[str]:
    statuses, newest = server.statuses(), server.hub.newest
    if max(len(statuses), len(newest)) > MAX_METERS:
        return
    # two heads may read the same meter
    sources: dict[str, Status | VirtualState | None] = {}
    for diagnosed in statuses:
        sources.setdefault(diagnosed.meter_id or diagnosed.source, diagnosed)
    for state in server.virtual_states():
        sources.setdefault(state.id, state)
    for meter_id in server.hub.electricity_meters():
        sources.setdefault(meter_id, None)
    for meter, status in sources.items():
        sample, now_s = newest.get(meter), boottime_s()
        name = (isinstance(status, Status) and (status.facts.name or status.meter_id or status.port)) or meter
        if sample and server.hub.is_fresh(meter, now_s):
            has_failed = isinstance(status, Status) and status.failed_check
            advice = _advice(status, language) if status and has_failed else ""
            is_production = server.hub.is_production(meter)
            is_explained = isinstance(status, Status) and status.why_held_back(IMPORT.short) is not None
            content = _current(
                sample, sample.age_s(now_s), tz, language, is_production=is_production, is_explained=is_explained
            )
            content += advice
        else:
            content = _missing(status, sample, tz, language)
        yield f'<section class="card"><h2>{escape(name)}</h2>{content}</section>'


def _current(
    sample: Sample, age_s: float, tz: ZoneInfo, language: Language, *, is_production: bool, is_explained: bool
) -> str:
    """`is_explained`: the advice says why there is no total."""
    words = _WORDS[language]
    registers = {item.register.obis: item for item in shown(sample, age_s)}
    is_locked = bool(sends_locked(sample))
    total, power = registers.get(IMPORT), registers.get(_POWER)
    rows = [
        (words["import"], _energy(total, is_locked, language)),
        (words["export"], _energy(registers.get(EXPORT), is_locked, language)),
        (words["power"], _watts(power, language, is_production=is_production)),
        (words["time"], f"{(total.received_at if total else sample.received_at).astimezone(tz):%H:%M:%S}"),
    ]
    pairs = "".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in rows if text)
    notes = [words["simulated"]] if sample.simulated else []
    has_no_total = (total is None or total.register.value is None) and not is_virtual(sample.reading)
    notes += [words["no total"]] if has_no_total and not is_explained else []
    return "".join(f"<p>{note}</p>" for note in notes) + f'<dl class="pairs">{pairs}</dl>'


def _missing(status: Status | VirtualState | None, sample: Sample | None, tz: ZoneInfo, language: Language) -> str:
    """The first failed check with what to do, and when the last reading came; no number."""
    words = _WORDS[language]
    unexplained = f"<p><strong>{words['no reading']}</strong></p>"
    text = _advice(status, language) if status and not status.ok else unexplained
    seen = f"{words['last seen']} {_date_time(sample.received_at.astimezone(tz), language)}" if sample else ""
    return f'{text}<p class="soft">{seen}</p>'


def _advice(status: Status | VirtualState, language: Language) -> str:
    """What is wrong, and what to do."""
    advice = status.advice.de if language == "de" else status.advice.en
    return f"<p><strong>{escape(advice.sentence)}</strong></p><p>{escape(advice.next_step)}</p>"


def _energy(item: Shown | None, is_locked: bool, language: Language) -> str:
    """With every digit that the meter sent; a locked meter sends whole kWh, as the page shows them too."""
    value = item.register.value if item else None
    if value is None:
        return ""
    kwh = value.scaleb(_KWH_SHIFT)
    return f"{exact_number(Decimal(int(kwh)) if is_locked else kwh, language)} kWh"


def _watts(item: Shown | None, language: Language, *, is_production: bool) -> str:
    """With its direction, unless that is not the grid's: the meter of a solar plant."""
    value = item.register.value if item else None
    if value is None:
        return ""
    direction = _WORDS[language]["to grid" if value < 0 else "from grid"] if value and not is_production else ""
    return f"{exact_number(value, language)} W {direction}".strip()


def _date_time(local: datetime, language: Language) -> str:
    return f"{local:%d.%m.%Y, %H:%M:%S}" if language == "de" else f"{local:%Y-%m-%d %H:%M:%S}"
