"""The contract of every decoder, and the table of them."""

from collections.abc import Callable, Iterator
from typing import Protocol

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.codecs.sml.encoder import START
from iskra_server.meter.reading import Fault, Reading


class Decoder(Protocol):
    """Bytes in, readings and faults out. Pure, bounded in memory, and never an exception."""

    def feed(self, data: bytes) -> Iterator[Reading | Fault]:
        """Everything that this chunk completes, in order."""
        ...

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a telegram."""
        ...


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


_STX = b"\x02"
# kinds of faults that a complete telegram has which cannot be read
_COMPLETE = frozenset(("encrypted", "layout"))
# protocol -> its decoder; P1 before D0, which also reads a P1 telegram without a checksum
DECODERS: dict[str, Callable[[], Decoder]] = {"sml": SmlDecoder, "p1": _p1, "d0": _d0, "dlms": _dlms}


def recognise(data: bytes) -> bool:
    """Whether a valid SML telegram is in these bytes: so far the readers of ports speak SML alone."""
    return _has_telegram(SmlDecoder(), data)


def detect(data: bytes) -> str | None:
    """The first protocol of which a valid telegram is in these bytes, else the one whose start is; None for neither."""
    valid = next((protocol for protocol, make in DECODERS.items() if _has_telegram(make(), data)), None)
    if valid or START in data:
        return valid or "sml"
    from iskra_server.codecs.text import identification, parity  # noqa: PLC0415

    text = data.translate(parity.SEVEN_BITS)
    if identification.START.search(text) is None:
        return None
    return "d0" if _STX in text else "p1"


def _has_telegram(decoder: Decoder, data: bytes) -> bool:
    return any(isinstance(item, Reading) or item.kind in _COMPLETE for item in decoder.feed(data))
