"""Which meter a source brings now, and what a reader keeps of each meter between telegrams."""

import logging
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator

from iskra_server.diagnosis.facts import CounterViolation
from iskra_server.diagnosis.notices import MANY_IGNORED
from iskra_server.meter.confirmed_ids import MAX_METERS, ConfirmedMeters
from iskra_server.meter.counter_rules import Violation
from iskra_server.meter.guard import HeldBack
from iskra_server.meter.lock import LockWatch
from iskra_server.meter.normalise import MeterMemory, Reason, RejectedRegister, normalise
from iskra_server.meter.obis import IMPORT
from iskra_server.meter.reading import Reading, Sample

# a head that receives two meters receives both within this time
_CHANGES_S = 600.0
# a meter whose readings are held back now and then is not logged each time
_QUIET_S = 60.0
# with as many sub-meters
_MAX_REMEMBERED = 2 * MAX_METERS
# a meter sends fewer registers
_MAX_LOGGED = 64

log = logging.getLogger(__name__)


class _Meter:
    """`held_back_s` is when a reading was held back last, None again after a minute without one."""

    def __init__(self) -> None:
        self.memory = MeterMemory()
        self.logged: set[RejectedRegister] = set()
        self.violation: Violation | None = None
        self.held_back_s: float | None = None
        self.epoch = 0


class MeterState:
    """`meter_id` is the meter of the last telegram, `previous_meter_id` the one before it on the same head."""

    def __init__(self) -> None:
        self.meter_id: str | None = None
        self.previous_meter_id: str | None = None
        self.lock = LockWatch()
        self.rejected_registers = 0
        self._changed_at_s: deque[float] = deque(maxlen=16)
        self._confirmed = ConfirmedMeters()
        # by channel: a telegram has one sub-meter on each
        self._sub_meters: dict[int, ConfirmedMeters] = {}
        self._has_logged_ignored = False
        # the meter read last is last
        self._meters: OrderedDict[str, _Meter] = OrderedDict()

    @property
    def ignored_telegrams(self) -> int:
        return self._confirmed.ignored

    @property
    def violation(self) -> CounterViolation | None:
        """Why readings of the current meter are held back now."""
        violation = self._meters[self.meter_id].violation if self.meter_id else None
        if violation is None:
            return None
        register, last = violation.register, violation.last
        seconds = 0 if violation.is_decrease else round(violation.seconds)
        return CounterViolation(
            register.obis.short,
            str(last.value),
            str(register.value),
            seconds,
            violation.is_decrease,
            violation.is_beyond_rating,
            violation.is_negative,
        )

    def changes(self, now_s: float) -> int:
        """How often the meter changed within the last ten minutes."""
        return sum(now_s - changed_s <= _CHANGES_S for changed_s in self._changed_at_s)

    def confirm(self, meter_id: str, at_s: float, port: str, *, is_known: bool, is_named: bool = True) -> bool:
        """Whether a server id is a meter's; ids that change with every telegram are ignored, and logged once."""
        if self._confirmed.confirm(meter_id, at_s, is_known=is_known, is_named=is_named):
            return True
        if self._confirmed.ignored >= MANY_IGNORED and not self._has_logged_ignored:
            self._has_logged_ignored = True
            log.warning(
                "%s: the server id changes with almost every telegram; ids that come fewer than three times, or that "
                "are more than %d, are ignored",
                port,
                MAX_METERS,
            )
        return False

    def confirm_sub_meter(self, reading: Reading, at_s: float, *, is_known: bool) -> bool:
        """As `confirm`, for the meter on a channel: the meters of the source do not count it."""
        confirmed = self._sub_meters.setdefault(reading.channel, ConfirmedMeters())
        return confirmed.confirm(reading.meter_id, at_s, is_known=is_known)

    def sub_meters(self, now_s: float) -> Iterator[str]:
        """The sub-meters that were read within the last hour, by channel."""
        for _, confirmed in sorted(self._sub_meters.items()):
            yield from confirmed.meters(now_s)

    def normalise(self, sent: Reading, at_s: float) -> Reading:
        """The record of a reading, whose meter is the current one from now on, but not a sub-meter.

        Logs each rejected register once.
        """
        meter = self._meters.pop(sent.meter_id, None) or _Meter()
        self._meters[sent.meter_id] = meter
        if len(self._meters) > _MAX_REMEMBERED:
            self._meters.popitem(last=False)
        if not sent.channel:
            self._note_meter(sent.meter_id, at_s)
        reading, rejected = normalise(sent, meter.memory)
        self._count_rejected(sent.meter_id, rejected)
        return reading

    def _count_rejected(self, meter_id: str, rejected: Iterable[RejectedRegister]) -> None:
        """Each is logged once."""
        logged = self._meters[meter_id].logged
        for register in rejected:
            self.rejected_registers += 1
            if register not in logged and len(logged) < _MAX_LOGGED:
                logged.add(register)
                log.warning(
                    "%s: a value of register %s is left out: %s", meter_id, register.obis.short, register.reason
                )

    def _note_meter(self, meter_id: str, at_s: float) -> None:
        if self.meter_id not in (None, meter_id):
            self.previous_meter_id = self.meter_id
            self._changed_at_s.append(at_s)
            self.lock = LockWatch()
        self.meter_id = meter_id

    def note_result(self, result: Sample | HeldBack, left_out: tuple[Violation, ...] = ()) -> None:
        """Log a line when readings begin to be held back, and one when they are published again for good.

        `left_out` are counters without which the meter is published.
        """
        sample = result.sample if isinstance(result, HeldBack) else result
        meter_id, now_s = sample.reading.meter_id, sample.monotonic_s
        meter = self._meters[meter_id]
        if isinstance(result, HeldBack):
            if result.violation is None:
                return
            if meter.held_back_s is None:
                log.warning("%s: reading held back: %s", meter_id, result.reason)
            meter.violation, meter.held_back_s = result.violation, now_s
            return
        is_new_epoch, meter.epoch = sample.epoch > meter.epoch, sample.epoch
        # the total is what a person misses first
        meter.violation = min(left_out, key=lambda violation: violation.register.obis != IMPORT, default=None)
        sent = {register.obis for register in sample.reading.registers}
        self._count_rejected(meter_id, (_rejected(problem) for problem in left_out if problem.register.obis in sent))
        if meter.held_back_s is not None and (is_new_epoch or now_s - meter.held_back_s >= _QUIET_S):
            meter.held_back_s = None
            log.warning("%s: readings are published again (epoch %d)", meter_id, sample.epoch)


def _rejected(violation: Violation) -> RejectedRegister:
    reason: Reason = "below 0" if violation.is_negative else "more than the connection can carry in 50 years"
    return RejectedRegister(violation.register.obis, reason)
