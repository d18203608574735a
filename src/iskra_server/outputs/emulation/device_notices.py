"""What is worth knowing of an emulated device while its port is open. The most important one first."""

from collections.abc import Iterator
from math import inf

from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.meter.lists import current_reading
from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.signed_power import POWER
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.grid import Grid
from iskra_server.outputs.state import UNASKED

UNASKED_S = 600.0
# until every meter is found
START_S = 120.0
# a telegram is sometimes late
_LATE = 0.9
# as for a meter that is polled: one telegram may be missing
_INTERVALS = 2.5
# outputs.emulation.stale_after_s
_MAX_STALE_AFTER_S = 300


def device_notices(
    clients: Clients, unasked_s: float | None, network: Advice | None = None, open_s: float = inf
) -> Iterator[Advice]:
    """`unasked_s` is the time without a request; None for a device that sends unasked.

    `open_s` is how long its port has been open.
    `network` is why nothing can find this server; where something asks all the same, it does not matter.
    """
    if network and not clients.requests:
        yield network
    elif unasked_s is not None and unasked_s >= UNASKED_S:
        yield advise(UNASKED, {"minutes": f"{UNASKED_S / 60:.0f}"})
    # where no meter is read at all, the diagnosis says why
    if open_s >= START_S and clients.grid.others_are_read():
        yield advise("shows_no_meter")
    yield from _of_meter(clients.grid, is_target_missing=clients.rules.for_batteries and not clients.rules.target_w)


def _of_meter(grid: Grid, *, is_target_missing: bool) -> Iterator[Advice]:
    sample = grid.last_sample()
    if sample is None:
        return
    reading = current_reading(sample)
    meter = {"meter": reading.meter_id}
    if grid.is_production():
        yield advise("shows_production", meter)
    if not reading.get(POWER):
        yield advise("shows_no_power", meter)
        return
    if (interval_s := grid.usual_interval_s() or 0.0) >= _LATE * grid.stale_after_s:
        proposed_s = min(_MAX_STALE_AFTER_S, round(_INTERVALS * interval_s))
        seconds = {"seconds": f"{interval_s:.0f}", "limit": f"{grid.stale_after_s:g}", "value": str(proposed_s)}
        yield advise("shows_seldom", meter | seconds)
    if reading.get(IMPORT) and not reading.get(EXPORT) and is_target_missing:
        yield advise("shows_import_only", meter)
    if sample.simulated:
        yield advise("shows_simulated")
