"""From the device to a plausible value: a chain of links, and the first one that is broken.

    device > permission > port > bytes > signal > protocol > telegrams > checksums > values > unlocked > fresh
    > plausible

Pure: judged from what a reader knows (`Facts`), nothing is asked of the outside world. What is said comes from the one
table in advice.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from iskra_server.diagnosis.advice import LABELS, Advice, Label, advise
from iskra_server.diagnosis.facts import Facts
from iskra_server.diagnosis.links import JUDGES, KEEPS_VALUES_AWAY
from iskra_server.diagnosis.notices import notices

LinkState = Literal["good", "broken", "unknown"]


class Link(Struct, frozen=True):
    """`sentence` is what is wrong and the next step in English; `advice` has both languages. Empty unless broken."""

    name: str
    label: Label
    state: LinkState
    sentence: str
    advice: Advice | None


class Status(Struct, frozen=True):
    """The chain of one source.

    `ok` says that values arrive. `broken` names the first broken link: one that does not keep values away
    (checksums, unlocked, plausible) may be broken while all else is well. `sentence` says in English what is the
    matter, with the next step; `advice` says it in both languages. `notices` are worth knowing, and break nothing.
    """

    source: str
    port: str
    meter_id: str | None
    simulated: bool
    ok: bool
    broken: str | None
    sentence: str
    advice: Advice
    links: tuple[Link, ...]
    notices: tuple[Advice, ...]
    facts: Facts


def walk(facts: Facts, others: Iterable[Facts] = ()) -> Status:
    """Judge every link; those behind one that keeps values away are unknown. `others` are those of the same meter."""
    links = tuple(_links(facts))
    worth = tuple(notices(facts, others))
    broken = [link for link in links if link.state == "broken"]
    told = next((link.advice for link in _worst_first(broken) if link.advice), None)
    advice = told or (worth[0] if worth and worth[0].fault not in _ASIDE else advise("well"))
    return Status(
        source=facts.source,
        port=facts.port,
        meter_id=facts.meter_id,
        simulated=facts.simulated,
        ok=not any(link.name in KEEPS_VALUES_AWAY for link in broken),
        broken=broken[0].name if broken else None,
        sentence=str(advice.en),
        advice=advice,
        links=links,
        notices=worth,
        facts=facts,
    )


# said beside the main sentence, never instead of it
_ASIDE = ("phases", "one_way", "simulated")


def _worst_first(broken: Sequence[Link]) -> list[Link]:
    """What keeps values away is what is said; else the first broken link."""
    return sorted(broken, key=lambda link: link.name not in KEEPS_VALUES_AWAY)


def _links(facts: Facts) -> Iterator[Link]:
    is_known = True
    for name, judge in JUDGES:
        verdict = judge(facts) if is_known else None
        if isinstance(verdict, Advice):
            yield Link(name, LABELS[name], "broken", str(verdict.en), verdict)
            is_known = name not in KEEPS_VALUES_AWAY
        else:
            yield Link(name, LABELS[name], "good" if verdict else "unknown", "", None)
