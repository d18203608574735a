"""What is worth knowing while values arrive: it breaks no link of the chain. The first is the most important."""

from collections.abc import Iterable, Iterator

from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.diagnosis.facts import Facts

# one change is a replaced meter, two are a head that sees both
HEAD_SEES_TWO = 2
# a head that is moved past meters hears a few telegrams of each
MANY_IGNORED = 10


def notices(facts: Facts, others: Iterable[Facts] = ()) -> Iterator[Advice]:
    """`others` are the other sources of the same server."""
    meter = {"meter": facts.meter_id, "other": facts.previous_meter_id, "port": facts.port}
    if facts.previous_meter_id and facts.meter_changes >= HEAD_SEES_TWO:
        yield advise("two_meters", meter)
    elif facts.previous_meter_id:
        yield advise("other_meter", meter)
    if facts.ignored_telegrams >= MANY_IGNORED:
        yield advise("changing_ids", meter)
    for other in others:
        if other.meter_id == facts.meter_id and _delivers(facts) and _delivers(other):
            yield advise("two_heads", {"meter": facts.meter_id, "port": facts.port, "other": other.port})
    if facts.clock_problem:
        says = {"time": f"{facts.clock_time:%Y-%m-%d %H:%M %Z}"}
        yield advise("clock_stepped" if facts.clock_problem == "stepped" else "clock_behind", says)
    if facts.rows_set_aside:
        yield advise("set_aside", {"count": str(facts.rows_set_aside)})
    if facts.phases_missing:
        yield advise("phases", {"phases": ", ".join(facts.phases_missing)})
    if facts.is_import_only:
        yield advise("import_only")
    if facts.simulated:
        yield advise("simulated")


def _delivers(facts: Facts) -> bool:
    return facts.age_s is not None and facts.age_s <= facts.stale_after_s
