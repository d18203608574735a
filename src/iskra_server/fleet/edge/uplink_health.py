"""What the uplink reports: the connection to the broker, and what the central server does not have and why."""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, structs

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
        self._problem = ""
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
        problem = next(self._problems(), "")
        if not problem:
            self._problem_since = None
        elif not self._problem:
            self._problem_since = datetime.now(UTC)
        self._problem = problem

    def state(self) -> OutputState:
        summary, state = self.summary, super().state()
        sentence = state.sentence
        if sentence and summary.waiting:
            sentence += f" {_quarters(summary.waiting)}{_since(summary.oldest_s)}."
        confirmed_s = summary.confirmed_s
        return structs.replace(
            state,
            ok=state.ok and not self._problem,
            sentence=sentence or self._problem,
            since=state.since or self._problem_since,
            waiting=summary.waiting,
            refused=summary.refused,
            confirmed_at=None if confirmed_s is None else datetime.fromtimestamp(confirmed_s, UTC),
        )

    def _problems(self) -> Iterator[str]:
        """The most important one first."""
        now_s = time.monotonic()
        if self._rival and now_s - self._rival.at_s >= _RIVAL_S:
            self._rival = None
        if self._rival and self._rival.is_certain:
            yield self._rival.sentence
        if refused := [group for group in self.summary.unconfirmed if group.refused]:
            yield _refused(refused)
        if self.summary.waiting and self.unanswered_since_s is not None:
            silent_s = now_s - self.unanswered_since_s
            if silent_s >= self._silent_s:
                yield (
                    f"No collector has answered for {silent_s / 60:.0f} minutes. {_quarters(self.summary.waiting)}"
                    f"{_since(self.summary.oldest_s)}. See that iskra-server collect runs, is connected to this broker "
                    "and reaches its database."
                )
        for group in self.summary.unconfirmed:
            if group.reason:
                yield f"{_quarters(group.quarters, group.meter)}: {group.reason.rstrip('.')}."


class _Rival(Struct, frozen=True):
    """We were told of it from `began_s` until `at_s` (monotonic)."""

    sentence: str
    began_s: float
    at_s: float

    @property
    def is_certain(self) -> bool:
        return self.at_s - self.began_s >= _RIVAL_AFTER_S


def _quarters(count: int, meter: str = "") -> str:
    whose = f" of {meter}" if meter else ""
    return f"{count:,} quarter-hour{'s' if count != 1 else ''}{whose} wait{'s' if count == 1 else ''}"


def _since(oldest_s: int | None) -> str:
    return "" if oldest_s is None else f", the oldest of {datetime.fromtimestamp(oldest_s, UTC):%Y-%m-%d %H:%M} UTC"


def _refused(groups: Sequence[Unconfirmed]) -> str:
    group, count = groups[0], sum(group.quarters for group in groups)
    meters = len({group.meter for group in groups})
    whose = f"of {group.meter}" if meters == 1 else f"of {meters} meters, such as {group.meter}"
    # the command takes the day in the time zone of the server, which may be 12 hours behind UTC
    first_s = min(group.first_quarter for group in groups) * QUARTER_S
    day = datetime.fromtimestamp(first_s, UTC) - timedelta(hours=12)
    return (
        f"The central server refuses {count:,} quarter-hour{'s' if count != 1 else ''} {whose}: "
        f"{group.reason.rstrip('.')}. Nothing is lost: when the cause is removed, run "
        f"iskra-server uplink resend --from {day:%Y-%m-%d}."
    )
