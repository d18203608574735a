"""D0 readouts to readings, of a meter that pushes them or of a line that is listened to.

A readout counts only if each of its blocks has a right BCC, and where the line carries parity, that of every
character. One without a BCC (mode D) is protected by its parity; without that it is marked, every line must be one of
the grammar, and the guard has the last word. Where a right BCC was ever seen, none is accepted without.
"""

from collections.abc import Iterator

from iskra_server.codecs.d0.blocks import Blocks
from iskra_server.codecs.d0.frames import Frames
from iskra_server.meter.reading import Fault, Reading


class D0Decoder:
    """One per stream. `feed` gives everything that a chunk completes and never raises."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._blocks = Blocks()

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a message."""
        return self._frames.pending

    def to_send(self) -> bytes:
        return b""

    def feed(self, data: bytes) -> Iterator[Reading | Fault]:
        self._frames.feed(data)
        results: list[Reading | Fault] = []
        while (found := self._frames.next()) is not None:
            result = found if isinstance(found, Fault) else self._blocks.add(found)
            if result is not None:
                results.append(result)
        return iter(results)
