"""SML telegrams to readings. A telegram counts only if its transport checksum and every message checksum are right.

The first valid telegram decides which checksum variant the meter uses; telegrams with another one are refused then.
After three invalid telegrams in a row any variant is accepted again: the head may have moved to another meter.
"""

from collections.abc import Iterator

from iskra_server.codecs.checksum import Variant, checksum
from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.sml import messages
from iskra_server.codecs.sml.fast_path import Layouts
from iskra_server.codecs.sml.tlv import Sequence
from iskra_server.codecs.sml.transport import Transport, payload
from iskra_server.meter.reading import Fault, Reading

_MAX_INVALID = 3


class SmlDecoder:
    """One per stream. `feed` returns everything that a chunk completes and never raises."""

    protocol = "sml"

    def __init__(self) -> None:
        self._transport = Transport()
        self._ready = self._transport.ready
        self._layouts = Layouts()
        self._variant: Variant | None = None
        self._invalid = 0

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a telegram."""
        return self._transport.pending

    def feed(self, data: bytes) -> list[Reading | Fault]:
        if not self._ready(data):
            return []
        transport = self._transport
        results: list[Reading | Fault] = []
        while (item := transport.next()) is not None:
            if isinstance(item, Fault):
                results.append(item)
            elif not transport.escaped and (reading := self._layouts.read(item)):
                self._invalid = 0
                results.append(reading)
            else:
                results.extend(self._parse(item))
        return results

    def _parse(self, telegram: bytes) -> Iterator[Reading | Fault]:
        """The full parser, which the fast path must equal."""
        variant = next((variant for variant in self._variants() if has_valid_checksum(telegram, variant)), None)
        if variant is None:
            yield self._wrong_checksum(telegram)
            return
        try:
            parsed = messages.parse(payload(telegram), telegram[-3], variant)
        except messages.ChecksumWrong as error:
            yield self._transport.reject(telegram, "message_checksum", str(error))
        except Malformed as error:
            yield self._transport.reject(telegram, "structure", str(error))
        else:
            self._variant, self._invalid = variant, 0
            if variant is Variant.X25 and not self._transport.escaped:
                self._layouts.learn(telegram, parsed)
            yield from messages.readings(parsed, len(telegram))

    def _variants(self) -> tuple[Variant, ...]:
        return (self._variant,) if self._variant else tuple(Variant)

    def _wrong_checksum(self, telegram: bytes) -> Fault:
        self._invalid += 1
        if self._invalid >= _MAX_INVALID:
            self._variant = None
        return self._transport.reject(telegram, "checksum", "the checksum of the telegram is wrong")


def parse_telegram(data: bytes) -> tuple[tuple[Sequence, ...], Variant, int]:
    """One valid telegram as messages, checksum variant and padding, for `encoder.telegram`. Raises Malformed."""
    transport = Transport()
    transport.ready(data)
    if transport.next() != data:
        raise Malformed("not one complete telegram")
    for variant in Variant:
        if has_valid_checksum(data, variant):
            return messages.parse(payload(data), data[-3], variant), variant, data[-3]
    raise Malformed("the checksum of the telegram is wrong")


def has_valid_checksum(telegram: bytes, variant: Variant) -> bool:
    """Whether the transport checksum is right."""
    return checksum(telegram[:-2], variant) == telegram[-2:]
