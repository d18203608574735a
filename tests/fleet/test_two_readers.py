"""Two readers with one name, as of a copied memory card: neither takes a receipt of the other for its own."""

from pathlib import Path

import pytest

from fleet.conftest import Collect
from fleet.field import FieldReader, arrive, rows
from iskra_server.fleet.edge import uplink, uplink_health
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto
from running import until


@pytest.mark.slow
def test_the_one_that_came_later_waits_and_loses_nothing(
    central: Store, broker: Mosquitto, tmp_path: Path, collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A3: each took the answers to the other for its own, and one row of each was missing for ever."""
    monkeypatch.setattr(uplink, "_COUNT_EVERY_S", 0.1)
    monkeypatch.setattr(uplink_health, "_RIVAL_AFTER_S", 0.0)
    first, second = (
        FieldReader(folder, "house-11", broker.url, first_meter=number)
        for number, folder in enumerate((tmp_path / "first", tmp_path / "second"), 71_000)
    )
    try:
        first.live_through(4)
        second.live_through(4)
        first.start()
        collect()
        until(lambda: first.waiting == 0)
        second.start()
        for reader in (first, second):
            until(lambda: "another reader named house-11 was heard" in reader.state.sentence)  # noqa: B023
            assert not reader.state.ok
        assert (first.waiting, second.waiting) == (0, 4)
        assert rows(central, second.meters) == set()
        first.live_through(2)
        until(lambda: first.waiting == 0)
        assert second.waiting == 4
        # it gets a name of its own, or the other one is switched off
        first.stop()
        arrive(central, first, second)
        until(lambda: second.state.delivered == 4)
    finally:
        first.close()
        second.close()
