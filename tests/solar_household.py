"""A server that reads both meters of a simulated household with a solar roof, with two days of history in June."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from iskra_server.history.store.store import Store
from iskra_server.simulator.demo_history import fill
from running import Server, serving, until

HOUSE, ROOF = "1 ISK 00 10000001", "1 ISK 00 20000001"
FIRST, LAST = datetime(2026, 6, 20, tzinfo=UTC), datetime(2026, 6, 22, tzinfo=UTC)
# the plant comes first: its meter must not be the first one all the same. Its household is at noon, always
CONFIG = """
[server]
time_zone = "Europe/Berlin"
[[meters]]
url = "simulator:MT681?measures=production&start=2026-06-22T10:00:00Z&since=2026-06-20"
name = "Roof"
role = "production"
[[meters]]
url = "simulator:MT175?start=2026-06-22T10:00:00Z&since=2026-06-20"
name = "House"
[[contracts]]
begins = 2026-01-01
energy_price = 0.30
feed_in = 0.08
"""


@contextmanager
def solar_server(folder: Path, **environ: str) -> Iterator[Server]:
    store = Store(f"sqlite:///{folder / 'simulated.sqlite'}")
    for profile, is_plant in (("MT175", False), ("MT681", True)):
        list(fill(store, profile, 1, LAST, first=FIRST, is_plant=is_plant))
    store.close()
    config = folder / "iskra-server.toml"
    config.write_text(CONFIG)
    environ |= {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(folder)}
    with serving("serve", "--config", str(config), environ=environ) as running:
        until(lambda: "consumption_w" in running.get("/api/v1/solar").json())
        until(lambda: running.get("/api/v1/solar/energy").status_code == 200)
        yield running
