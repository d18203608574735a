import asyncio
from datetime import date
from pathlib import Path

import pytest

from iskra_server.config import Config, ContractConfig, VirtualConfig
from iskra_server.config.sections import HistoryConfig
from iskra_server.reading.hub import Hub
from iskra_server.runtime.contract_log import log_doubts, log_unread_meters
from iskra_server.runtime.plan import Plan, plan_of
from web.serving import arrived, status, until


@pytest.mark.parametrize(("price", "lines"), [(0.3265, 0), (32.65, 1)])
def test_cents_for_euros_are_logged(price: float, lines: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    contract = ContractConfig(begins=date(2026, 1, 1), energy_price=price)
    log_doubts(plan_of(Config(history=HistoryConfig(data_dir=str(tmp_path)), contracts=(contract,))))
    assert len(caplog.messages) == lines
    assert all("contracts.1.energy_price is 32.65 EUR" in message for message in caplog.messages)


def test_a_contract_of_a_meter_that_no_source_has_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    contract = ContractConfig(begins=date(2026, 1, 1), energy_price=0.3, meter="1ISK0000000000")
    heat = ContractConfig(begins=date(2026, 1, 1), energy_price=0.2, meter="heat pump")
    pump = VirtualConfig("Heat pump", "1 ISK 00 12345678")
    history = HistoryConfig(data_dir=str(tmp_path))
    plan = plan_of(Config(history=history, contracts=(contract, heat), virtual=(pump,)))
    hub, statuses = Hub(), [status(meter_id=None)]
    looked = 0

    def plan_now() -> Plan:
        nonlocal looked
        looked += 1
        return plan

    async def look_again() -> None:
        before = looked
        await until(lambda: looked > before + 1)

    async def watch() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(log_unread_meters(plan_now, lambda: statuses, hub, every_s=0.001))
            await look_again()
            # not before each source has its meter
            assert caplog.messages == []
            hub.publish(arrived())
            statuses[0] = status()
            await until(lambda: bool(caplog.messages))
            await look_again()
            task.cancel()

    asyncio.run(watch())
    (message,) = caplog.messages
    assert "contracts.1.meter is '1ISK0000000000', which this server does not read" in message
    # a virtual meter is known, although it has no current value
    assert "Heat pump" in message
    assert "contracts.2" not in message
