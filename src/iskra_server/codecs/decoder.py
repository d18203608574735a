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


# protocol -> its decoder
DECODERS: dict[str, Callable[[], Decoder]] = {"sml": SmlDecoder}


def recognise(data: bytes) -> bool:
    """Whether a whole telegram of a known protocol stands in these bytes."""
    return any(isinstance(result, Reading) for make in DECODERS.values() for result in make().feed(data))
