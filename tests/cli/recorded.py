"""A history for the commands, in the folder that they run in."""

from pathlib import Path

from history.entries import METER, quarter_reading
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.store import Store
from samples import EXPORT

# 2025-11-23 00:00 UTC
FIRST = 1_763_856_000 // 900


def history(folder: Path, *, hours: int = 48, meter: MeterInfo = METER, file: str = "iskra.sqlite") -> Path:
    """A counter of import at 0.4 kWh an hour and one of export at a tenth of it, from FIRST on."""
    path = folder / ".local/share/iskra-server" / file
    store = Store(f"sqlite:///{path}")
    quarters = range(4 * hours + 1)
    store.write(
        [quarter_reading(FIRST + quarter, 1_000_000 + 1000 * quarter, meter=meter) for quarter in quarters]
        + [quarter_reading(FIRST + quarter, 100 * quarter, EXPORT, meter) for quarter in quarters],
        [meter],
    )
    store.close()
    return path
