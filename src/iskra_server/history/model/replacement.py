"""Which meter may have replaced which: it is where the other one was, and began after the other had ended.

Pure. The question is asked until it is answered (`meters replace`), or until the new meter is no longer new.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from iskra_server.history.model.records import MeterInfo

# nobody who has not answered by then will
ASKED_FOR_S = 30 * 86_400


class Replacements(Struct, frozen=True):
    """What history knows of it: who was `replaced`, who may have replaced whom, and who was `last` at each port."""

    replaced: frozenset[str] = frozenset()
    before: Mapping[str, str | None] = {}
    last: Mapping[str, str] = {}

    def possible_predecessor(self, meter_id: str, port: str, seen_before: str | None) -> str | None:
        """The meter that this one may have replaced; `seen_before` was seen on the same head just now."""
        if seen_before and seen_before not in self.replaced:
            return seen_before
        # a meter that is newer than history has come after whoever was there last
        return self.before[meter_id] if meter_id in self.before else self.last.get(port)


def find_replacements(meters: Iterable[MeterInfo], now_s: float) -> Replacements:
    at_port: dict[str, list[MeterInfo]] = defaultdict(list)
    for info in sorted(meters, key=lambda each: each.last_s):
        if info.port:
            at_port[info.port].append(info)
    before: dict[str, str | None] = {}
    for ended in at_port.values():
        for new in ended:
            old = _before(new, ended) if now_s - new.first_s <= ASKED_FOR_S else None
            before[new.meter_id] = old.meter_id if old and not old.replaced_by else None
    return Replacements(
        replaced=frozenset(each.meter_id for ended in at_port.values() for each in ended if each.replaced_by),
        before=before,
        last={port: ended[-1].meter_id for port, ended in at_port.items() if not ended[-1].replaced_by},
    )


def _before(new: MeterInfo, ended: Sequence[MeterInfo]) -> MeterInfo | None:
    """Of those that had ended before the new one began, the one that ended last."""
    return next((old for old in reversed(ended) if old.last_s < new.first_s), None)
