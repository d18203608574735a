"""The state of a central server: facts of its database, and what is wrong by them."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from iskra_server.diagnosis.advice import Advice, Label, advise

# collectors store nothing that is further ahead of their clock; a reader's own is wrong long before
MAX_SKEW_S = 60
# a backlog after an outage is sent within minutes; what waits longer has a reason, which its reader knows
OVERDUE_S = 7_200
# prepare makes two years; the alarm leaves time for a holiday
MIN_MONTHS = 3


class CentralFacts(Struct, frozen=True, kw_only=True):
    """Counts at one moment. Silent: nothing has come for two quarter-hours; gone: not for 30 days, or replaced.

    `meters` and `readers` do not count those that are gone. `failing_readers` report a fault and are not silent.
    At `waiting_readers` quarter-hours wait that ended more than OVERDUE_S ago, and none was refused.
    `waiting_quarters` and `refused_quarters` lie at the readers, as these report; None where none reports it.
    `skew_s` is the clock of the reader `skewed_reader` less our own. `months_left` is None where months are no
    partitions. `last_message` is when a reader last sent something.
    """

    at: datetime
    meters: int
    silent_meters: int
    gone_meters: int
    readers: int
    silent_readers: int
    gone_readers: int
    failing_readers: int
    waiting_readers: int = 0
    silent_reader: str = ""
    waiting_reader: str = ""
    failing_reader: str = ""
    failing_sentence: str = ""
    failing_sentence_de: str = ""
    skewed_reader: str = ""
    skew_s: int | None = None
    waiting_quarters: int | None = None
    refused_quarters: int | None = None
    conflicts: int = 0
    conflicts_last_day: int = 0
    refused_messages: int = 0
    refused_last_day: int = 0
    refused_reason: str = ""
    months_left: int | None = None
    last_message: datetime | None = None


class CentralState(Struct, frozen=True):
    """`ok`: nothing is wrong. `facts` is None while the database cannot be read; `problems` has the worst first."""

    ok: bool
    facts: CentralFacts | None
    problems: tuple[Advice, ...]


def central_state(facts: CentralFacts) -> CentralState:
    problems = tuple(_problems(facts))
    return CentralState(not problems, facts, problems)


def unreadable(reason: str) -> CentralState:
    """While the database is away; without a reason nobody has asked it yet."""
    problem = advise("central_database", {"reason": reason}) if reason else advise("central_unread")
    return CentralState(False, None, (problem,))


def _problems(facts: CentralFacts) -> Iterator[Advice]:
    if not facts.readers and not facts.meters:
        yield advise("central_empty")
    if facts.months_left is not None and facts.months_left < MIN_MONTHS:
        yield advise("central_no_month", {"months": facts.months_left})
    if facts.silent_readers:
        yield advise(
            "central_silent_readers",
            {"count": facts.silent_readers, "readers": facts.readers, "name": facts.silent_reader},
        )
    if facts.failing_readers:
        yield advise(
            "central_failing_readers",
            {
                "count": facts.failing_readers,
                "readers": facts.readers,
                "name": facts.failing_reader,
                "reason": Label(facts.failing_sentence, facts.failing_sentence_de),
            },
        )
    if facts.waiting_readers:
        yield advise(
            "central_waiting_readers",
            {"count": facts.waiting_readers, "readers": facts.readers, "name": facts.waiting_reader},
        )
    if facts.silent_meters:
        yield advise("central_silent_meters", {"count": facts.silent_meters, "meters": facts.meters})
    if facts.conflicts_last_day:
        yield advise("central_conflicts", {"count": facts.conflicts_last_day})
    if facts.refused_last_day:
        yield advise("central_refused", {"count": facts.refused_last_day, "reason": facts.refused_reason})
    if facts.refused_quarters:
        yield advise("central_refused_at_readers", {"count": facts.refused_quarters})
    if facts.skew_s is not None and abs(facts.skew_s) > MAX_SKEW_S:
        yield advise("central_skew", {"name": facts.skewed_reader, "seconds": abs(facts.skew_s)})
