"""What the diagnosis of each meter publishes: its newest state, and an event when a fault appears or has gone.

A meter that is not read is not left with the state of an earlier run: it has the problem of the source that has no
meter now, else none that is known.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from iskra_server.base.language import Language
from iskra_server.diagnosis.status import Status
from iskra_server.meter.identity import meter_id
from iskra_server.outputs.mqtt.payloads import diagnostics
from iskra_server.outputs.mqtt.problems import LastingProblem

DIAGNOSTICS_EVERY_S = 30


class Diagnosis(Struct, frozen=True):
    """Of a meter in hex. `event` is None without one."""

    meter: str
    payload: bytes
    event: bytes | None


class _Event(Struct, frozen=True):
    event_type: str
    sentence: str
    failed_check: str | None


class DiagnosisMessages:
    """Outlives connections, so that a fault that appears while the broker is away is published when it is back."""

    def __init__(self, language: Language) -> None:
        self._language = language
        # by meter: one that two sources read has a problem while neither is well
        self._problems: dict[str, LastingProblem] = {}
        # meter -> when it was published, and the part that is published at once when it changes
        self._published: dict[str, tuple[float, object]] = {}

    def publish_again(self) -> None:
        """A new connection: the broker may have lost everything."""
        self._published.clear()

    def due(self, meters: Mapping[str, str], statuses: Iterable[Status], now_s: float) -> Iterator[Diagnosis]:
        """`meters`: each meter at the broker, in hex -> its id where it is known, else ""."""
        statuses = list(statuses)
        without_meter = next((status for status in statuses if status.meter_id is None), None)
        by_meter = _by_meter(statuses)
        for meter, name in meters.items():
            status = by_meter.get(name) or without_meter
            problem = self._problems.setdefault(meter, LastingProblem())
            event = problem.observe(status, now_s) if status else None
            is_on = problem.is_on if status else None
            state = status and (status.source, status.failed_check, status.facts.locked), is_on
            at_s, before = self._published.get(meter, (0.0, None))
            is_time = status is not None and now_s >= at_s + DIAGNOSTICS_EVERY_S
            if not event and state == before and not is_time:
                continue
            self._published[meter] = now_s, state
            yield Diagnosis(
                meter,
                self._payload(name or _name_of(meter), status, problem=is_on),
                self._event(event, status) if event and status else None,
            )

    def _payload(self, name: str, status: Status | None, *, problem: bool | None) -> bytes:
        if status is None:
            return msgspec.json.encode({"id": name, "problem": None})
        return msgspec.json.encode(diagnostics(name, status, problem=problem, language=self._language))

    def _event(self, event: str, status: Status) -> bytes:
        words = status.advice.de if self._language == "de" else status.advice.en
        return msgspec.json.encode(_Event(event, str(words), status.failed_check))


def _by_meter(statuses: Iterable[Status]) -> dict[str, Status]:
    """Of several sources that read one meter, the first one that is well."""
    chosen: dict[str, Status] = {}
    for status in statuses:
        before = chosen.get(status.meter_id or "")
        if status.meter_id and (before is None or (status.ok and not before.ok)):
            chosen[status.meter_id] = status
    return chosen


def _name_of(meter: str) -> str:
    try:
        return meter_id(bytes.fromhex(meter))
    except ValueError:
        return meter
