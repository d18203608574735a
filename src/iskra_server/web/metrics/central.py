"""Metrics of a central server; while its database is away there is `iskra_fleet_database_up 0`, and no count."""

from collections.abc import Iterator
from datetime import datetime

from iskra_server.diagnosis.central_state import CentralFacts, CentralState
from iskra_server.web.metrics.exposition import Family, Metric, Series, families


def _at_s(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


CENTRAL: tuple[Metric[CentralFacts], ...] = (
    Metric(
        "waiting_readers",
        "gauge",
        "Readers at which quarter-hours wait that are older than two hours.",
        lambda facts: facts.waiting_readers,
    ),
    Metric("failing_readers", "gauge", "Readers that report a fault.", lambda facts: facts.failing_readers),
    Metric(
        "clock_skew_seconds",
        "gauge",
        "Clock of the reader that differs most, less that of the central server.",
        lambda facts: facts.skew_s,
        "seconds",
    ),
    Metric(
        "waiting_quarters",
        "gauge",
        "Quarter-hours that readers have not delivered, as they report.",
        lambda facts: facts.waiting_quarters,
    ),
    Metric(
        "refused_quarters",
        "gauge",
        "Quarter-hours at readers that were refused, as they report.",
        lambda facts: facts.refused_quarters,
    ),
    Metric("conflicts", "gauge", "Values that differ from the stored ones.", lambda facts: facts.conflicts),
    Metric("refused_messages", "gauge", "Messages in the table `refused`.", lambda facts: facts.refused_messages),
    Metric("months_left", "gauge", "Further months that have partitions.", lambda facts: facts.months_left),
    Metric(
        "last_message_timestamp_seconds",
        "gauge",
        "When a reader last sent something, in Unix time.",
        lambda facts: _at_s(facts.last_message),
        "seconds",
    ),
    Metric(
        "counted_timestamp_seconds",
        "gauge",
        "When these numbers were counted, in Unix time.",
        lambda facts: _at_s(facts.at),
        "seconds",
    ),
)


def central_families(state: CentralState) -> Iterator[Family]:
    facts = state.facts
    up = [Series(facts is not None)]
    yield Family("iskra_fleet_database_up", "gauge", "1 if the database can be read.", up)
    yield Family(
        "iskra_fleet_problems", "gauge", "What is wrong, as the status lists it.", [Series(len(state.problems))]
    )
    if facts is None:
        return
    meters = {"heard": facts.meters - facts.silent_meters, "silent": facts.silent_meters, "gone": facts.gone_meters}
    readers = {"heard": facts.readers - facts.silent_readers, "silent": facts.silent_readers}
    yield _by_state("meters", "Meters, by whether something came of them within half an hour.", meters)
    yield _by_state("readers", "Readers, likewise.", readers | {"gone": facts.gone_readers})
    yield from families("iskra_fleet", CENTRAL, [facts], lambda _: {})


def _by_state(name: str, sentence: str, counts: dict[str, int]) -> Family:
    series = [Series(count, {"state": state}) for state, count in counts.items()]
    return Family(f"iskra_fleet_{name}", "gauge", sentence, series)
