from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from iskra_server.sources.source import Chunk, SourceState


class Given:
    """A source of given chunks, one a second; without any, for a reader that the test feeds itself."""

    url = "given"
    simulated = False

    def __init__(self, *parts: bytes) -> None:
        self.state = SourceState("given", is_open=True)
        self._parts = parts

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        for second, data in enumerate(self._parts):
            yield Chunk(data, datetime(2026, 11, 22, 10, 0, second, tzinfo=UTC), float(second))
