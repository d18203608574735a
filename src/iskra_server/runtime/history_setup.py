"""History of a plan: whether it is kept, where, and what it depends on."""

from pathlib import Path
from typing import TYPE_CHECKING

from iskra_server.base.clock import Clock
from iskra_server.config import HistoryConfig
from iskra_server.history.store.location import database_address, spool_folders
from iskra_server.meter.virtual_meter import VirtualMeters, no_virtual_meters
from iskra_server.runtime.plan import Plan

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.recording.archive import Archive


def history_settings(plan: Plan) -> tuple[HistoryConfig, bool, bool, list[Path]]:
    """What history depends on. Spool folders depend on the meters: a restart would look for them there."""
    return plan.config.history, plan.simulated, bool(plan.sources), _spool_folders(plan)


def _spool_folders(plan: Plan) -> list[Path]:
    urls = (meter.url for meter in plan.config.meters)
    return spool_folders(plan.config.history.data_dir, urls, simulated=plan.simulated)


def archive_of(plan: Plan, clock: Clock, virtual: VirtualMeters = no_virtual_meters) -> "Archive | None":
    """None where no history is kept."""
    history, simulated = plan.config.history, plan.simulated
    if not history.enabled:
        return None
    # the database library takes 15 MB of memory
    from iskra_server.history.recording.archive import Archive  # noqa: PLC0415
    from iskra_server.history.store.database_errors import display_address  # noqa: PLC0415
    from iskra_server.history.store.store import Store  # noqa: PLC0415

    address = database_address(history.data_dir, history.database_url, simulated=simulated)
    profile = history.database_profile
    return Archive(
        lambda: Store(address, profile, virtual),
        flush_s=history.flush_s,
        raw_days=history.raw_days,
        simulated=simulated,
        clock=clock,
        places=_spool_folders(plan),
        name=display_address(address),
        only_reads=not plan.sources,
    )
