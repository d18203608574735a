"""Live values that wait to be written: of each meter the newest, however long the database is away."""

from collections.abc import Sequence
from itertools import islice
from threading import Lock

from iskra_server.fleet.central.tables import LastContact

# 0.3 kB each; a collector of more meters loses some live values while the database is away
MAX_METERS = 200_000


class NewestLiveValues:
    """Any thread may call it. `dropped` counts values that a newer one replaced, or that had no room."""

    def __init__(self, max_meters: int = MAX_METERS) -> None:
        self.dropped = 0
        self._max_meters = max_meters
        self._lock = Lock()
        # by meter and reader: a value of a reader that does not own the meter must not replace the right one
        self._newest: dict[tuple[str, str], LastContact] = {}

    def __len__(self) -> int:
        return len(self._newest)

    def put(self, contact: LastContact) -> None:
        key = contact.meter_id, contact.reader
        with self._lock:
            if key in self._newest or len(self._newest) >= self._max_meters:
                self.dropped += 1
            if key in self._newest or len(self._newest) < self._max_meters:
                self._newest[key] = contact

    def take(self, limit: int) -> Sequence[LastContact]:
        """Remove and return up to `limit` values, those first that wait longest."""
        with self._lock:
            keys = list(islice(self._newest, limit))
            return [self._newest.pop(key) for key in keys]
