"""The contract of every decoder, and the table of them."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from iskra_server.codecs import marks
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.codecs.sml.encoder import START
from iskra_server.meter.reading import UNREADABLE, Fault, Reading


class Decoder(Protocol):
    """Bytes in, readings and faults out. Pure, bounded in memory, and never an exception."""

    def feed(self, data: bytes) -> list[Reading | Fault]:
        """Everything that this chunk completes, in order."""
        ...

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a telegram."""
        ...

    @property
    def protocol(self) -> str:
        """What it decodes: a key of DECODERS; "" for a decoder that has not found it yet."""
        ...


@runtime_checkable
class Pausing(Protocol):
    """A decoder of telegrams whose parts are not numbered: after a silence, parts do not belong together."""

    def pause(self) -> list[Reading | Fault]:
        """Nothing has arrived for PAUSE_S: what this ends."""
        ...


# between two parts of a telegram a meter pauses for less
PAUSE_S = 1.0


def _p1() -> Decoder:
    # imported where a meter speaks it: most readers need SML alone
    from iskra_server.codecs.p1.decoder import P1Decoder  # noqa: PLC0415

    return P1Decoder()


def _d0() -> Decoder:
    from iskra_server.codecs.d0.decoder import D0Decoder  # noqa: PLC0415

    return D0Decoder()


def _dlms() -> Decoder:
    from iskra_server.codecs.dlms.decoder import DlmsDecoder  # noqa: PLC0415

    return DlmsDecoder()


Decoders = Mapping[str, Callable[[], Decoder]]

# protocol -> its decoder; P1 before D0, which also reads a P1 telegram without a checksum
DECODERS: Decoders = {"sml": SmlDecoder, "p1": _p1, "d0": _d0, "dlms": _dlms}


def detect(data: bytes) -> str | None:
    """The first protocol of which a valid telegram is in these bytes, else the one whose start is; None for neither."""
    valid = next((protocol for protocol, make in DECODERS.items() if _has_telegram(make(), data)), None)
    if valid or START in data:
        return valid or "sml"
    begun = [protocols for _, protocols in marks.find(data)]
    if ("d0",) in begun:
        return "d0"
    return begun[0][0] if begun else None


def is_telegram(item: Reading | Fault) -> bool:
    """Whether a telegram was received without damage, be it of use or not."""
    return isinstance(item, Reading) or item.kind in UNREADABLE


def _has_telegram(decoder: Decoder, data: bytes) -> bool:
    return any(map(is_telegram, decoder.feed(data)))
