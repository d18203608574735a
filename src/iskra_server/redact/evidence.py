"""The last bytes of every source, masked: they decode as the real ones did, and name nobody."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.reading import Reading

if TYPE_CHECKING:
    from iskra_server.redact.telegrams import Substitutes


class Evidence(Struct, frozen=True):
    """`bytes` in hex; `blanked` of them were not kept. `meters`: server id -> what stands for it, both in hex."""

    source: str
    data: str
    blanked: int
    meters: dict[str, str]


def evidence(recent: Iterable[tuple[str, bytes]]) -> list[Evidence]:
    """Of sources and their last bytes; the same meter is the same in all of them."""
    # masking brings the encoder along, which a running server never needs
    from iskra_server.redact.telegrams import Substitutes  # noqa: PLC0415

    substitutes = Substitutes()
    return [_masked(source, data, substitutes) for source, data in recent]


def _masked(source: str, data: bytes, substitutes: "Substitutes") -> Evidence:
    from iskra_server.redact.telegrams import Masking  # noqa: PLC0415

    masking = Masking(substitutes)
    masked = masking.feed(data) + masking.end()
    ids = {each.server_id for each in SmlDecoder().feed(data) if isinstance(each, Reading)}
    meters = {original.hex(): substitutes.of(original).hex() for original in sorted(ids)}
    return Evidence(source, masked.hex(), masking.blanked, meters)
