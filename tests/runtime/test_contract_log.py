from datetime import date
from pathlib import Path

import pytest

from iskra_server.config import Config, ContractConfig
from iskra_server.config.sections import HistoryConfig
from iskra_server.runtime.contract_log import log_doubts
from iskra_server.runtime.plan import plan_of


@pytest.mark.parametrize(("price", "lines"), [(0.3265, 0), (32.65, 1)])
def test_cents_for_euros_are_logged(price: float, lines: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    contract = ContractConfig(begins=date(2026, 1, 1), energy_price=price)
    log_doubts(plan_of(Config(history=HistoryConfig(data_dir=str(tmp_path)), contracts=(contract,))))
    assert len(caplog.messages) == lines
    assert all("contracts.1.energy_price is 32.65 EUR" in message for message in caplog.messages)
