"""Notices: worth knowing while values arrive, but no check fails. The most important one first."""

from collections.abc import Iterable, Iterator

from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.diagnosis.facts import Facts

# one change is a replaced meter, two are a head that receives both
MIN_CHANGES = 2
# a head that is moved past meters receives a few telegrams of each
MANY_IGNORED = 10


def notices(facts: Facts, others: Iterable[Facts] = ()) -> Iterator[Advice]:
    """`others` are the facts of the other sources of the same server."""
    meter = {"meter": facts.meter_id, "other": facts.previous_meter_id, "port": facts.port}
    if facts.previous_meter_id and facts.meter_changes >= MIN_CHANGES:
        yield advise("two_meters", meter)
    elif facts.previous_meter_id:
        yield advise("other_meter", meter)
    if facts.ignored_telegrams >= MANY_IGNORED:
        yield advise("changing_ids", meter)
    for other in others:
        if other.meter_id == facts.meter_id and _is_current(facts) and _is_current(other):
            yield advise("two_heads", {"meter": facts.meter_id, "port": facts.port, "other": other.port})
    if facts.clock_problem:
        details = {"time": f"{facts.clock_time:%Y-%m-%d %H:%M %Z}"}
        yield advise("clock_stepped" if facts.clock_problem == "stepped" else "clock_behind", details)
    if facts.rows_set_aside:
        yield advise("set_aside", {"count": str(facts.rows_set_aside)})
    if facts.phases_missing:
        yield advise("phases", {"phases": ", ".join(facts.phases_missing)})
    if facts.is_import_only:
        yield advise("import_only")
    if facts.simulated:
        yield advise("simulated")


def _is_current(facts: Facts) -> bool:
    return facts.age_s is not None and facts.age_s <= facts.stale_after_s
