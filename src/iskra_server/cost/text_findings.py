"""What is wrong with a configuration that somebody is writing, its contracts included."""

from datetime import date

from msgspec import Struct

from iskra_server.config.findings import Finding, error_of
from iskra_server.config.text_check import line_of, lines_of, read_text
from iskra_server.cost.from_config import contract_findings

_MAX_FINDINGS = 100


class PlacedFinding(Struct, frozen=True):
    """`line` is that of the key, from 1 on, or of the table that it is missing in."""

    finding: Finding
    line: int | None


def text_findings(text: str, today: date) -> list[PlacedFinding]:
    """At most 100."""
    config, errors = read_text(text)
    findings = [error_of(error) for error in errors]
    if config:
        findings += contract_findings(config.contracts, config.offers, today)
    lines = lines_of(text)
    return [PlacedFinding(finding, line_of(lines, finding.key)) for finding in findings[:_MAX_FINDINGS]]
