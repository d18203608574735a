"""The contract of every decoder, and the table of them."""

from collections.abc import Callable, Iterator
from typing import Protocol

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.reading import Fault, Reading


class Decoder(Protocol):
    """Bytes in, readings and faults out. Pure, bounded in memory, and never an exception."""

    def feed(self, data: bytes) -> Iterator[Reading | Fault]:
        """Everything that this chunk completes, in order."""
        ...

    def to_send(self) -> bytes:
        """What a request/answer protocol wants sent to the meter; empty for meters that push."""
        ...

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a telegram."""
        ...


def _dlms() -> Decoder:
    # nothing of a protocol is imported before it is seen
    from iskra_server.codecs.dlms.decoder import DlmsDecoder  # noqa: PLC0415

    return DlmsDecoder()


# protocol -> its decoder
DECODERS: dict[str, Callable[[], Decoder]] = {"sml": SmlDecoder, "dlms": _dlms}
# what a telegram is, though it cannot be read
_TELEGRAMS = frozenset(("encrypted", "layout"))


def recognise(data: bytes) -> bool:
    """Whether a whole telegram that the server reads stands in these bytes."""
    return any(isinstance(result, Reading) for result in SmlDecoder().feed(data))


def protocol_of(data: bytes) -> str | None:
    """The protocol of which a whole telegram stands in these bytes, readable or not; None where none does."""
    return next((protocol for protocol, make in DECODERS.items() if any(map(_is_telegram, make().feed(data)))), None)


def _is_telegram(result: Reading | Fault) -> bool:
    return isinstance(result, Reading) or result.kind in _TELEGRAMS
