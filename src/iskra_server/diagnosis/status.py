"""The status of one source: the checks from the device to a plausible value, and the first that fails.

    device > permission > port > data > signal > protocol > telegrams > checksums > values > unlocked > fresh
    > plausible

Pure: computed from what a reader counted (`Facts`), without I/O. The sentences come from the table in advice.py.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from iskra_server.diagnosis.advice import LABELS, Advice, Label, advise
from iskra_server.diagnosis.checks import CHECKS, NEEDED_FOR_VALUES
from iskra_server.diagnosis.facts import Facts
from iskra_server.diagnosis.notices import notices

CheckState = Literal["passed", "failed", "unknown"]


class Check(Struct, frozen=True):
    """One check; a failed one has `advice` in both languages, and its English text in `sentence`."""

    name: str
    label: Label
    state: CheckState
    sentence: str
    advice: Advice | None


class Status(Struct, frozen=True):
    """All checks of one source.

    `ok`: current values arrive. `failed_check` is the first check that fails; `ok` stays True while only checksums,
    unlocked or plausible fail. `advice` is the most important sentence with its next step, `sentence` the same in
    English. `notices` are worth knowing, but fail no check.
    """

    source: str
    port: str
    meter_id: str | None
    simulated: bool
    ok: bool
    failed_check: str | None
    sentence: str
    advice: Advice
    checks: tuple[Check, ...]
    notices: tuple[Advice, ...]
    facts: Facts

    def why_held_back(self, register: str) -> Advice | None:
        """Why a counter, such as 1-0:1.8.0, is held back now; None while it is not."""
        violation = self.facts.counter_violation
        if violation is None or violation.register != register:
            return None
        return next(check.advice for check in self.checks if check.name == "plausible")


def run_checks(facts: Facts, others: Iterable[Facts] = ()) -> Status:
    """Run all checks of one source; `others` are the facts of the other sources that bring the same meter."""
    checks = tuple(_results(facts))
    notes = tuple(notices(facts, others))
    failed = [check for check in checks if check.state == "failed"]
    # a check without which no value arrives is more important than an earlier one
    first = next(
        (check.advice for check in sorted(failed, key=lambda check: check.name not in NEEDED_FOR_VALUES)), None
    )
    advice = first or (notes[0] if notes and notes[0].fault not in _MINOR else advise("well"))
    return Status(
        source=facts.source,
        port=facts.port,
        meter_id=facts.meter_id,
        simulated=facts.simulated,
        ok=not any(check.name in NEEDED_FOR_VALUES for check in failed),
        failed_check=failed[0].name if failed else None,
        sentence=str(advice.en),
        advice=advice,
        checks=checks,
        notices=notes,
        facts=facts,
    )


# notices that never replace "The meter is being read."
_MINOR = frozenset(
    (
        *("encrypted", "untitled", "wrong_key", "not_authentic", "untagged", "replayed", "layout"),
        *(
            "prices_missing",
            "slow_readout",
            "unprotected",
            "unproved",
            "no_tag",
            "whole_kwh",
            "no_power",
            "phases",
            "import_only",
            "short_capture",
            "simulated",
        ),
    )
)


def _results(facts: Facts) -> Iterator[Check]:
    """Checks behind a failed one without which no value arrives are unknown."""
    is_decided = False
    for name, check in CHECKS:
        result = None if is_decided else check(facts)
        if isinstance(result, Advice):
            yield Check(name, LABELS[name], "failed", str(result.en), result)
            is_decided = name in NEEDED_FOR_VALUES
        else:
            yield Check(name, LABELS[name], "passed" if result else "unknown", "", None)
