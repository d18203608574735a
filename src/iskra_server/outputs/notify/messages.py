"""A message: what has happened, its text in both languages, and the form in which a channel sends and keeps it."""

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from iskra_server.base.json_values import Instant, instant
from iskra_server.base.language import Language

# those that a channel can be without; `test` goes to each
Event = Literal["silent", "fault", "locked", "load", "base_load", "weekly", "monthly"]
EVENTS: tuple[Event, ...] = get_args(Event)
Phase = Literal["begin", "end", "report", "test"]

# priority of ntfy (1 to 5, 3 is normal) and the name of an emoji there
_LOOKS: dict[tuple[str, str], tuple[int, str]] = {
    ("silent", "begin"): (4, "warning"),
    ("fault", "begin"): (4, "warning"),
    ("locked", "begin"): (4, "lock"),
    ("load", "begin"): (4, "zap"),
    ("base_load", "begin"): (3, "chart_with_upwards_trend"),
}
_ENDS, _REPORTS, _TESTS = (3, "white_check_mark"), (2, "bar_chart"), (3, "bell")


class Text(Struct, frozen=True):
    title: str
    body: str


class MeterMessage(Struct, frozen=True):
    """`meter` is its id, "" for several meters or none; `values` are exact, energies in Wh, powers in W."""

    event: Event | Literal["test"]
    phase: Phase
    at: datetime
    texts: dict[Language, Text]
    meter: str = ""
    meter_name: str = ""
    simulated: bool = False
    values: dict[str, Decimal] = {}


class Notification(Struct, frozen=True):
    """What a webhook gets as JSON.

    id          32 hex digits: the same if a message is sent twice, because the answer to the first time was lost
    event       silent, fault, locked, load, base_load, weekly, monthly or test
    phase       begin, end (of what began), report or test
    title       one line
    message     one or more lines of plain text
    priority    1 (lowest) to 5 (highest), as ntfy has them
    tags        names of emoji, as ntfy has them
    at          when it happened
    meter       number of the meter; empty for several
    meter_name  its name in the configuration; empty without one
    simulated   the meter is simulated
    language    en or de
    page_url    address of the page of this server
    values      exact numbers by name, such as import_wh or peak_w; empty without any
    """

    id: str
    event: str
    phase: str
    title: str
    message: str
    priority: int
    tags: list[str]
    at: Instant
    meter: str
    meter_name: str
    simulated: bool
    language: str
    page_url: str
    values: dict[str, Decimal]


_SIMULATED: dict[Language, tuple[str, str]] = {
    "en": ("[simulated]", "These values are simulated; no real meter is being read."),
    "de": ("[simuliert]", "Diese Werte sind simuliert; es wird kein echter Zähler gelesen."),
}
_TEST: dict[Language, Text] = {
    "en": Text("Test message", "Messages of the electricity meter arrive here."),
    "de": Text("Testnachricht", "Nachrichten des Stromzählers kommen hier an."),
}
_encoder = msgspec.json.Encoder(decimal_format="number")


def trial_message(now: datetime) -> MeterMessage:
    return MeterMessage("test", "test", now, _TEST)


def notification(message: MeterMessage, language: Language, page_url: str) -> Notification:
    """A message in one language; of a simulated meter it says so in title and text."""
    text = message.texts[language]
    if message.simulated:
        prefix, sentence = _SIMULATED[language]
        text = Text(f"{prefix} {text.title}", f"{text.body}\n{sentence}")
    priority, tag = _look(message)
    return Notification(
        id=secrets.token_hex(16),
        event=message.event,
        phase=message.phase,
        title=text.title,
        message=text.body,
        priority=priority,
        tags=[tag],
        at=instant(message.at.astimezone(UTC)),
        meter=message.meter,
        meter_name=message.meter_name,
        simulated=message.simulated,
        language=language,
        page_url=page_url,
        values=message.values,
    )


def as_json(value: object) -> bytes:
    """Decimals as numbers with every digit."""
    return _encoder.encode(value)


def _look(message: MeterMessage) -> tuple[int, str]:
    phases = {"end": _ENDS, "report": _REPORTS, "test": _TESTS}
    return phases.get(message.phase) or _LOOKS[message.event, message.phase]
