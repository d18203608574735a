"""What the grid meter measures, for tests of what a device makes of it."""

from decimal import Decimal

from iskra_server.outputs.emulation.grid import GridReading
from samples import METER_ID

NOT_SENT = (None, None, None)


def grid_reading(**changes: object) -> GridReading:
    """Of a meter that sends power and both counters."""
    fields: dict[str, object] = {
        "meter_id": METER_ID,
        "simulated": False,
        "arrived_s": 0.0,
        "power_w": Decimal("412.3"),
        "phases_w": None,
        "mean_w": Decimal("398.4"),
        "import_wh": Decimal("12345678.9"),
        "export_wh": Decimal("1234.5"),
        "tariffs_wh": (None, None),
        "voltages_v": NOT_SENT,
        "currents_a": NOT_SENT,
        "frequency_hz": None,
    }
    return GridReading(**(fields | changes))  # type: ignore[arg-type]
