"""Notices: worth knowing while values arrive, but no check fails. The most important one first."""

from collections.abc import Iterable, Iterator

from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.diagnosis.checks import unreadable
from iskra_server.diagnosis.facts import Facts

# one change is a replaced meter, two are a head that receives both
MIN_CHANGES = 2
# a head that is moved past meters receives a few telegrams of each
MANY_IGNORED = 10
# at this speed a character takes a thirtieth of a second
SLOWEST_BAUD = 300
_BITS = 10
# a readout that takes longer is a reason why values are old
SLOW_S = 30


def notices(facts: Facts, others: Iterable[Facts] = ()) -> Iterator[Advice]:
    """`others` are the facts of the other sources of the same server."""
    yield from _identities(facts, others)
    if facts.clock_problem:
        details = {"time": f"{facts.clock_time:%Y-%m-%d %H:%M %Z}"}
        yield advise("clock_stepped" if facts.clock_problem == "stepped" else "clock_behind", details)
    if facts.rows_set_aside:
        yield advise("set_aside", {"count": str(facts.rows_set_aside)})
    if facts.missing_prices:
        yield advise("prices_missing", facts.missing_prices)
    if facts.telegrams:
        yield from _telegrams(facts)
    if facts.simulated:
        yield advise("simulated")


def _identities(facts: Facts, others: Iterable[Facts]) -> Iterator[Advice]:
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


def _telegrams(facts: Facts) -> Iterator[Advice]:
    """What the telegrams of this meter lack."""
    if _is_current(facts) and (advice := unreadable(facts)):
        yield advice
    if (seconds := _readout_s(facts)) >= SLOW_S:
        yield advise("slow_readout", {"seconds": f"{seconds:.0f}"})
    if facts.protection in ("sum", "none"):
        yield advise("unprotected")
    if facts.has_unchecked_tag:
        yield advise("unproved", {"meter": facts.meter_id})
    elif facts.has_auth_key and facts.protection != "tag":
        yield advise("no_tag", {"meter": facts.meter_id})
    if facts.is_whole_kwh:
        yield advise("whole_kwh")
    if not facts.has_power and not facts.locked:
        yield advise("no_power")
    if facts.phases_missing:
        yield advise("phases", {"phases": ", ".join(facts.phases_missing)})
    if facts.is_import_only and facts.role == "grid":
        yield advise("import_only")
    elif facts.is_import_only and facts.production_counter == "export":
        yield advise("no_production")


def _readout_s(facts: Facts) -> float:
    """How long a readout takes at the lowest speed; 0 at any other, and for a meter that is not asked."""
    if not facts.poll or not facts.line.startswith(f"{SLOWEST_BAUD} "):
        return 0.0
    # those that were cut or damaged have bytes too
    readout_s = facts.byte_count * (facts.valid_ratio or 0.0) / facts.telegrams * _BITS / SLOWEST_BAUD
    # shorter intervals show that the speed is lowered for the request alone
    return readout_s if (facts.usual_interval_s or 0.0) >= readout_s else 0.0


def _is_current(facts: Facts) -> bool:
    return facts.age_s is not None and facts.age_s <= facts.stale_after_s
