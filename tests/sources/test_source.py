from datetime import UTC, datetime

from iskra_server.base.clock import boottime_s
from iskra_server.sources.source import timestamped


def test_a_chunk_has_its_time_on_both_clocks() -> None:
    before, before_s = datetime.now(UTC), boottime_s()
    chunk = timestamped(b"\x1b")
    assert chunk.data == b"\x1b"
    assert before <= chunk.received_at <= datetime.now(UTC)
    assert before_s <= chunk.monotonic_s <= boottime_s()
