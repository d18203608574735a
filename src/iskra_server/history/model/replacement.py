"""Which meter may have replaced which: it is read at the same port, and began after the other had ended.

Status and page ask the user until `meters replace` answers, or until the new meter has been there for a month.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from iskra_server.history.model.records import MeterInfo

# after that the question is no longer asked
ASKED_FOR_S = 30 * 86_400


class Replacements(Struct, frozen=True):
    """What history knows of replaced meters.

    replaced  meters whose successor is known
    before    new meter -> the meter that it may have replaced, or None
    last      port -> the meter that was read there last
    """

    replaced: frozenset[str] = frozenset()
    before: Mapping[str, str | None] = {}
    last: Mapping[str, str] = {}

    def possible_predecessor(self, meter_id: str, port: str, seen_before: str | None) -> str | None:
        """The meter that this one may have replaced; `seen_before` was read at the same port since the start."""
        if seen_before and seen_before not in self.replaced:
            return seen_before
        # history does not know this meter yet: it came after the one that was read there last
        return self.before[meter_id] if meter_id in self.before else self.last.get(port)


def find_replacements(meters: Iterable[MeterInfo], now_s: float) -> Replacements:
    at_port: dict[str, list[MeterInfo]] = defaultdict(list)
    for info in sorted(meters, key=lambda info: info.last_s):
        if info.port:
            at_port[info.port].append(info)
    before: dict[str, str | None] = {}
    for neighbours in at_port.values():
        for new in neighbours:
            old = _last_ended_before(new, neighbours) if now_s - new.first_s <= ASKED_FOR_S else None
            before[new.meter_id] = old.meter_id if old and not old.replaced_by else None
    return Replacements(
        replaced=frozenset(info.meter_id for meters in at_port.values() for info in meters if info.replaced_by),
        before=before,
        last={port: meters[-1].meter_id for port, meters in at_port.items() if not meters[-1].replaced_by},
    )


def _last_ended_before(new: MeterInfo, neighbours: Sequence[MeterInfo]) -> MeterInfo | None:
    """Of the meters that ended before the new one began, the one that ended last."""
    return next((old for old in reversed(neighbours) if old.last_s < new.first_s), None)
