"""The last bytes of each source, masked: they decode as before, but identify nobody."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from iskra_server.codecs.decoder import DECODERS
from iskra_server.meter import identity
from iskra_server.meter.reading import Reading

if TYPE_CHECKING:
    from iskra_server.redact.pseudonyms import Pseudonyms


class Evidence(Struct, frozen=True):
    """`data` in hex; `blanked` bytes were set to zero. `meters`: server id -> its substitute, both in hex.

    `protocol` is "" where no telegram is valid.
    """

    source: str
    data: str
    blanked: int
    meters: dict[str, str]
    protocol: str = ""


def evidence(recent: Iterable[tuple[str, bytes]]) -> list[Evidence]:
    """For (source, last bytes) pairs; a meter gets the same substitute in all of them."""
    # imported here: masking needs the encoder, a running server does not
    from iskra_server.redact.pseudonyms import Pseudonyms  # noqa: PLC0415

    pseudonyms = Pseudonyms()
    return [_masked(source, data, pseudonyms) for source, data in recent]


def _masked(source: str, data: bytes, pseudonyms: "Pseudonyms") -> Evidence:
    from iskra_server.redact.masking import Masking  # noqa: PLC0415

    masking = Masking(pseudonyms)
    masked = masking.feed(data) + masking.end()
    originals, substitutes = (list(_server_ids(masking.protocol, part)) for part in (data, masked))
    if len(originals) != len(substitutes):
        # a telegram could not be masked
        substitutes = [pseudonyms.of(original) for original in originals]
    pairs = dict(zip(originals, substitutes, strict=True))
    meters = {original.hex(): pairs[original].hex() for original in sorted(pairs)}
    return Evidence(source, masked.hex(), masking.blanked, meters, masking.protocol)


def _server_ids(protocol: str, data: bytes) -> Iterator[bytes]:
    """Of each telegram, also of one that cannot be read."""
    for item in DECODERS[protocol]().feed(data) if protocol else ():
        server_id = item.server_id if isinstance(item, Reading) else identity.server_id(item.meter_id)
        if server_id:
            yield server_id
