"""Whether history is kept, and what it depends on. tests/test_reload.py changes it while the server runs."""

from pathlib import Path

from msgspec import structs

from iskra_server.base.address import Address
from iskra_server.base.clock import Clock
from iskra_server.config import Config, HistoryConfig, MeterConfig
from iskra_server.runtime.history_setup import archive_of, history_settings
from iskra_server.runtime.plan import Plan, plan_of


def plan(folder: Path, url: str = "simulator:MT175", **history: object) -> Plan:
    config = structs.replace(Config(), meters=(MeterConfig(url=Address(url)),))
    return plan_of(structs.replace(config, history=HistoryConfig(data_dir=str(folder), **history)))  # type: ignore[arg-type]


def test_no_archive_where_no_history_is_kept(tmp_path: Path) -> None:
    assert archive_of(plan(tmp_path, enabled=False), Clock()) is None
    assert archive_of(plan(tmp_path), Clock()) is not None


def test_history_depends_on_its_keys_and_on_what_is_read(tmp_path: Path) -> None:
    assert history_settings(plan(tmp_path)) == history_settings(plan(tmp_path))
    others = plan(tmp_path, raw_days=1), plan(tmp_path, "tcp://head:2001"), plan(tmp_path / "other")
    assert all(history_settings(other) != history_settings(plan(tmp_path)) for other in others)
