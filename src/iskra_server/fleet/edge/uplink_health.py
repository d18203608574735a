"""What the uplink reports: the connection to the broker, and what the central server does not have and why."""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, structs

from iskra_server.base.language import NOTHING, Bilingual, after_each_other, in_both
from iskra_server.fleet.edge.uplink_sentences import REFUSED, UNANSWERED
from iskra_server.fleet.edge.uplink_summary import Unconfirmed, UplinkSummary
from iskra_server.history.model.records import QUARTER_S
from iskra_server.outputs.state import UPLINK, OutputHealth, OutputState

log = logging.getLogger(__name__)

# collectors that are started again, or a database that is repaired, take minutes
SILENT_S = 900.0
# while two readers have one name, each sends its state so often, and both are told each time
RIVAL_STATUS_S = 60.0
_RIVAL_S = 2.5 * RIVAL_STATUS_S
# a run of this reader that was killed has its name until the broker publishes its will, after 30 s
_RIVAL_AFTER_S = 45.0


class UplinkHealth(OutputHealth):
    """`summary` is what the queue held when it was last looked at; `observe` derives from it what is wrong."""

    def __init__(self, silent_s: float = SILENT_S) -> None:
        super().__init__(UPLINK)
        self.summary = UplinkSummary()
        # since when messages are sent without any answer (monotonic); None: the last one was answered
        self.unanswered_since_s: float | None = None
        self._silent_s = silent_s
        self._rival: _Rival | None = None
        self._problem = NOTHING
        self._problem_since: datetime | None = None

    def note_rival(self, sentence: str) -> None:
        """The central server says that another reader has the same name."""
        now_s = time.monotonic()
        before, began_s = self._rival, self._rival.began_s if self._rival else now_s
        self._rival = _Rival(sentence, began_s, now_s)
        if self._rival.is_certain and not (before and before.is_certain):
            log.warning("%s", sentence)
        self.observe(self.summary)

    @property
    def has_rival(self) -> bool:
        """Another reader may have the same name."""
        return self._rival is not None

    def observe(self, summary: UplinkSummary) -> None:
        self.summary = summary
        problem = next(self._problems(), NOTHING)
        if problem == NOTHING:
            self._problem_since = None
        elif self._problem == NOTHING:
            self._problem_since = datetime.now(UTC)
        self._problem = problem

    def state(self) -> OutputState:
        summary, state = self.summary, super().state()
        english, german = (state.sentence, state.sentence_de) if state.sentence else self._problem
        if state.sentence and summary.waiting:
            waiting = in_both(("{waiting}{since}.", "{waiting}{since}."), **_waiting(summary))
            english, german = after_each_other((english, german), waiting)
        confirmed_s = summary.confirmed_s
        return structs.replace(
            state,
            ok=not english,
            sentence=english,
            sentence_de=german,
            since=state.since or self._problem_since,
            waiting=summary.waiting,
            refused=summary.refused,
            confirmed_at=None if confirmed_s is None else datetime.fromtimestamp(confirmed_s, UTC),
        )

    def _problems(self) -> Iterator[Bilingual]:
        """The most important one first."""
        now_s = time.monotonic()
        if self._rival and now_s - self._rival.at_s >= _RIVAL_S:
            self._rival = None
        if self._rival and self._rival.is_certain:
            # the central server speaks English
            yield self._rival.sentence, self._rival.sentence
        if refused := [group for group in self.summary.unconfirmed if group.refused]:
            yield _refused(refused)
        if self.summary.waiting and self.unanswered_since_s is not None:
            silent_s = now_s - self.unanswered_since_s
            if silent_s >= self._silent_s:
                yield in_both(UNANSWERED, minutes=f"{silent_s / 60:.0f}", **_waiting(self.summary))
        for group in self.summary.unconfirmed:
            if group.reason:
                waiting = _quarters(group.quarters, group.meter)
                yield in_both(("{waiting}: {reason}.", "{waiting}: {reason}."), waiting=waiting, reason=_clause(group))


class _Rival(Struct, frozen=True):
    """We were told of it from `began_s` until `at_s` (monotonic)."""

    sentence: str
    began_s: float
    at_s: float

    @property
    def is_certain(self) -> bool:
        return self.at_s - self.began_s >= _RIVAL_AFTER_S


def _quarters(count: int, meter: str = "") -> Bilingual:
    row = (
        "{count} quarter-hour{s}{whose} wait{verb}",
        "{count} Viertelstunde{n}{whose} warte{verb}",
    )
    is_one = count == 1
    return in_both(
        row,
        count=_grouped(count),
        s="" if is_one else "s",
        n="" if is_one else "n",
        verb=("s", "t") if is_one else ("", "n"),
        whose=(f" of {meter}", f" von {meter}") if meter else "",
    )


def _waiting(summary: UplinkSummary) -> dict[str, object]:
    """How many quarter-hours wait, and since when."""
    since = NOTHING
    if summary.oldest_s is not None:
        oldest = f"{datetime.fromtimestamp(summary.oldest_s, UTC):%Y-%m-%d %H:%M} UTC"
        since = (f", the oldest of {oldest}", f", die älteste von {oldest}")
    return {"waiting": _quarters(summary.waiting), "since": since}


def _refused(groups: Sequence[Unconfirmed]) -> Bilingual:
    group, count = groups[0], sum(group.quarters for group in groups)
    meters = len({group.meter for group in groups})
    whose = (f"of {group.meter}", f"von {group.meter}")
    if meters > 1:
        whose = (f"of {meters} meters, such as {group.meter}", f"von {meters} Zählern, etwa {group.meter}")
    # the command takes the day in the time zone of the server, which may be 12 hours behind UTC
    first_s = min(group.first_quarter for group in groups) * QUARTER_S
    day = datetime.fromtimestamp(first_s, UTC) - timedelta(hours=12)
    quarters = ("quarter-hour", "Viertelstunde") if count == 1 else ("quarter-hours", "Viertelstunden")
    return in_both(
        REFUSED,
        count=_grouped(count),
        quarters=quarters,
        whose=whose,
        reason=_clause(group),
        day=f"{day:%Y-%m-%d}",
    )


def _clause(group: Unconfirmed) -> str:
    """The reason that the central server gives, in English, without its full stop."""
    return group.reason.rstrip(".")


def _grouped(count: int) -> Bilingual:
    text = f"{count:,}"
    return text, text.replace(",", ".")
