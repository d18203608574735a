"""Run by the Python of a Home Assistant, which finds our integration: it writes hours and prints those that are lost.

Arguments: an empty folder, how many hours. The recorder and its database are real. Threads take turns after each
microsecond, so that the recorder begins a task at any moment, as on a busy machine.
"""

import asyncio
import sys
from decimal import Decimal

from custom_components.iskra_server.filling import Filling  # type: ignore[import-not-found]
from custom_components.iskra_server.services import _held, _write  # type: ignore[import-not-found]

from homeassistant.components.recorder import get_instance  # type: ignore[import-not-found]
from homeassistant.config_entries import ConfigEntries  # type: ignore[import-not-found]
from homeassistant.core import CoreState, HomeAssistant  # type: ignore[import-not-found]
from homeassistant.helpers import recorder, translation  # type: ignore[import-not-found]
from homeassistant.loader import async_setup  # type: ignore[import-not-found]
from homeassistant.setup import async_setup_component  # type: ignore[import-not-found]

FOLDER, HOURS = sys.argv[1], int(sys.argv[2])
BEGIN_S, HOUR_S = 1_767_225_600, 3600
METER = "sensor.meter"
ABOUT = {
    "has_sum": True,
    "mean_type": 0,
    "name": None,
    "source": "recorder",
    "statistic_id": METER,
    "statistics_unit_of_measurement": "kWh",
    "unit_class": "energy",
}


async def write() -> list[int]:
    """The hours that were not there, or not as written, when `_write` had ended."""
    home = HomeAssistant(FOLDER)
    async_setup(home)
    translation.async_setup(home)
    home.config_entries = ConfigEntries(home, {})
    recorder.async_initialize_recorder(home)
    assert await async_setup_component(home, "recorder", {"recorder": {"db_url": f"sqlite:///{FOLDER}/written.db"}})
    home.set_state(CoreState.running)
    home.bus.async_fire("homeassistant_started")
    await get_instance(home).async_block_till_done()
    sys.setswitchinterval(1e-6)
    lost = []
    for hour in range(HOURS):
        at, values = BEGIN_S + hour * HOUR_S, {"state": Decimal(hour), "sum": Decimal(hour)}
        await _write(home, ABOUT, Filling(new={at: values}))
        if (await _held(home, METER, "kWh", "energy")).get(at) != values:
            lost.append(hour)
    await home.async_stop(force=True)
    return lost


print("not there:", asyncio.run(write()))
