"""Contracts and offers that name a meter: one that the server does not know is told, as they would count for nobody.

So is one that measures what a solar plant produces: its energy is not bought.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from iskra_server.config import PricesConfig
from iskra_server.config.findings import Finding
from iskra_server.cost.contract_sentences import doubt
from iskra_server.meter.identity import compact_name

_SHOWN = 8


class NamedMeter(Struct, frozen=True):
    """The label of a meter, its server id in hex, and whether it measures what a solar plant produces."""

    id: str
    server_id: str = ""
    is_production: bool = False


def meter_findings(
    contracts: Sequence[PricesConfig], offers: Sequence[PricesConfig], meters: Sequence[NamedMeter]
) -> list[Finding]:
    """Warnings; none as long as no meter is known."""
    sections = ("contracts", contracts), ("offers", offers)
    return [finding for section, entries in sections for finding in _findings(section, entries, meters)]


def _findings(section: str, entries: Sequence[PricesConfig], meters: Sequence[NamedMeter]) -> Iterator[Finding]:
    names = {name for meter in meters for name in _names(meter)}
    of_plants = {name for meter in meters if meter.is_production for name in _names(meter)}
    # one that is read is recorded too
    known = ", ".join([*dict.fromkeys(meter.id for meter in meters)][:_SHOWN])
    for number, entry in enumerate(entries, 1):
        if not meters or not entry.meter:
            continue
        if compact_name(entry.meter) not in names:
            yield doubt("unknown_meter", f"{section}.{number}.meter", meter=entry.meter[:40], known=known)
        elif compact_name(entry.meter) in of_plants:
            yield doubt("production_meter", f"{section}.{number}.meter", meter=entry.meter[:40])


def _names(meter: NamedMeter) -> tuple[str, str]:
    return compact_name(meter.id), meter.server_id.lower()
