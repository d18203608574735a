"""What is wrong with a configuration that somebody is writing, its contracts and the sources of prices included."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from msgspec import Struct

from iskra_server.config import Config, ConfigError
from iskra_server.config.findings import Finding, error_of, without_consequences
from iskra_server.config.text_check import line_of, lines_of, read_text
from iskra_server.cost.from_config import contract_findings
from iskra_server.cost.meter_names import NamedMeter, meter_findings
from iskra_server.cost.price_plan import price_problems

_MAX_FINDINGS = 100


class PlacedFinding(Struct, frozen=True):
    """`line` is that of the key, from 1 on, or of the table that it is missing in."""

    finding: Finding
    line: int | None


def text_findings(
    text: str,
    today: date,
    meters: Sequence[NamedMeter] = (),
    further: Callable[[Config], Iterable[ConfigError]] = lambda _: (),
) -> list[PlacedFinding]:
    """At most 100. `meters` are those that the server knows; `further` checks what is no matter of cost."""
    config, errors = read_text(text)
    lines = lines_of(text)
    placed = [PlacedFinding(error_of(error), error.line or line_of(lines, error.key)) for error in errors]
    if config:
        of_contracts = contract_findings(config.contracts, config.offers, today)
        of_contracts += meter_findings(config.contracts, config.offers, meters)
        if not any(finding.level == "error" for finding in of_contracts):
            of_contracts += map(error_of, price_problems(config))
        findings = without_consequences([*of_contracts, *map(error_of, further(config))], errors)
        placed += [PlacedFinding(finding, line_of(lines, finding.key)) for finding in findings]
    return placed[:_MAX_FINDINGS]
