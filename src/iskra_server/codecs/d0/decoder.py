"""Decodes D0 readouts that a meter pushes, or that are overheard.

A readout is valid only if the BCC of each block is right, and the parity of every character if the line carries parity.
A readout without a BCC (mode D) is protected by parity; without parity too it is marked as unprotected, and every line
must follow the grammar. After the first right BCC, readouts without one are refused.
"""

from iskra_server.codecs.d0.blocks import Blocks
from iskra_server.codecs.d0.frames import Frames
from iskra_server.codecs.d0.readout import PROTOCOL
from iskra_server.meter.reading import Fault, Reading


class D0Decoder:
    """One per stream. `feed` gives everything that a chunk completes and never raises."""

    protocol = PROTOCOL

    def __init__(self) -> None:
        self._frames = Frames()
        self._blocks = Blocks()

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a message."""
        return self._frames.pending

    def feed(self, data: bytes) -> list[Reading | Fault]:
        self._frames.feed(data)
        results: list[Reading | Fault] = []
        while (message := self._frames.next()) is not None:
            result = message if isinstance(message, Fault) else self._blocks.add(message)
            if result is not None:
                results.append(result)
        return results
