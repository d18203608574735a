"""The diagnosis of each reader, together with the other sources of its meter."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from iskra_server.diagnosis.status import Status, run_checks
from iskra_server.reading.reader import Reader


class Statuses(Sequence[Status]):
    """The status of each reader, computed on access: reading one of a thousand does not compute the others."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers

    def __iter__(self) -> Iterator[Status]:
        """Computed one by one, so that a caller can run other tasks in between."""
        by_meter: dict[str, list[Reader]] = defaultdict(list)
        for reader in self._readers:
            if reader.meter_id:
                by_meter[reader.meter_id].append(reader)
        return (_status(reader, by_meter[reader.meter_id] if reader.meter_id else ()) for reader in self._readers)

    @overload
    def __getitem__(self, place: int) -> Status: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Status]: ...

    def __getitem__(self, place: int | slice) -> Status | Sequence[Status]:
        if isinstance(place, slice):
            return Statuses(self._readers[place])
        return _status(self._readers[place], self._readers)

    def __len__(self) -> int:
        return len(self._readers)


def _status(reader: Reader, readers: Iterable[Reader]) -> Status:
    """`readers` may include other sources of the same meter."""
    meter_id = reader.meter_id
    others = [
        other.facts()
        for other in readers
        if meter_id is not None and other.meter_id == meter_id and other is not reader
    ]
    return run_checks(reader.facts(), others)
