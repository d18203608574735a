"""Recordings without the meter's identity, for bug reports: they decode to the same values of another meter.

Bytes that are no valid telegram become zeros, as they may hold a part of a serial number. So does everything while no
valid telegram tells the protocol.
"""

from typing import TYPE_CHECKING, Protocol

from iskra_server.codecs.decoder import DECODERS, is_telegram
from iskra_server.redact.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from iskra_server.codecs.dlms.security import Keys

# a full list of an MT174 has 9,522 bytes
_MAX_HELD = 32 * 1024
# look for the protocol again when so much more has arrived
_GROWTH = 1.25


class _ProtocolMasking(Protocol):
    blanked: int

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class Masking:
    """One per recording; several may share `pseudonyms`. `blanked` counts bytes set to zero.

    With `keys`, encrypted DLMS telegrams are masked inside and encrypted again with the published test keys.
    """

    def __init__(self, pseudonyms: Pseudonyms | None = None, keys: "Keys | None" = None) -> None:
        self._keys = keys
        self.protocol = ""
        self._pseudonyms = pseudonyms or Pseudonyms()
        self._masking: _ProtocolMasking | None = None
        self._held = bytearray()
        self._next_try = 0
        self._blanked = 0

    @property
    def blanked(self) -> int:
        return self._blanked + (self._masking.blanked if self._masking else 0)

    @property
    def resealed(self) -> int:
        """How many telegrams were encrypted again."""
        return getattr(self._masking, "resealed", 0)

    def feed(self, data: bytes) -> bytes:
        """The telegrams that this chunk completes, masked. Lengths stay, unless a checksum changes its width."""
        if self._masking:
            return self._masking.feed(data)
        self._held += data
        if len(self._held) < self._next_try:
            return b""
        return self._detected() or self._blank(len(self._held) - _MAX_HELD)

    def end(self) -> bytes:
        """Zeros for the bytes of an incomplete telegram."""
        masked = b"" if self._masking else self._detected()
        return masked + (self._masking.end() if self._masking else self._blank(len(self._held)))

    def _detected(self) -> bytes:
        """What is held, masked, once it shows the protocol."""
        held = bytes(self._held)
        self._next_try = int(len(held) * _GROWTH)
        self.protocol = protocol_of(held)
        if not self.protocol:
            return b""
        self._held.clear()
        self._masking = _masking(self.protocol, self._pseudonyms, self._keys)
        return self._masking.feed(held)

    def _blank(self, count: int) -> bytes:
        """Zeros for the oldest bytes."""
        count = max(0, count)
        del self._held[:count]
        self._blanked += count
        return bytes(count)


def protocol_of(data: bytes) -> str:
    """The protocol of which a valid telegram is in these bytes, "" for none."""
    for protocol, make in DECODERS.items():
        if any(map(is_telegram, make().feed(data))):
            return protocol
    return ""


def _masking(protocol: str, pseudonyms: Pseudonyms, keys: "Keys | None") -> _ProtocolMasking:
    # each imported where a meter speaks it
    if protocol == "sml":
        from iskra_server.redact.sml_masking import SmlMasking  # noqa: PLC0415

        return SmlMasking(pseudonyms)
    if protocol == "dlms":
        from iskra_server.redact.dlms_masking import DlmsMasking  # noqa: PLC0415

        return DlmsMasking(pseudonyms, keys)
    from iskra_server.redact.text_masking import TextMasking  # noqa: PLC0415

    return TextMasking(pseudonyms, is_p1=protocol == "p1")
