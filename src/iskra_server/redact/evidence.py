"""The last bytes of each source, masked: they decode as before, but identify nobody."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.reading import Reading

if TYPE_CHECKING:
    from iskra_server.redact.telegrams import Pseudonyms


class Evidence(Struct, frozen=True):
    """`data` in hex; `blanked` bytes were set to zero. `meters`: server id -> its substitute, both in hex."""

    source: str
    data: str
    blanked: int
    meters: dict[str, str]


def evidence(recent: Iterable[tuple[str, bytes]]) -> list[Evidence]:
    """For (source, last bytes) pairs; a meter gets the same substitute in all of them."""
    # imported here: masking needs the encoder, a running server does not
    from iskra_server.redact.telegrams import Pseudonyms  # noqa: PLC0415

    pseudonyms = Pseudonyms()
    return [_masked(source, data, pseudonyms) for source, data in recent]


def _masked(source: str, data: bytes, pseudonyms: "Pseudonyms") -> Evidence:
    from iskra_server.redact.telegrams import Masking  # noqa: PLC0415

    masking = Masking(pseudonyms)
    masked = masking.feed(data) + masking.end()
    ids = {item.server_id for item in SmlDecoder().feed(data) if isinstance(item, Reading)}
    meters = {original.hex(): pseudonyms.of(original).hex() for original in sorted(ids)}
    return Evidence(source, masked.hex(), masking.blanked, meters)
