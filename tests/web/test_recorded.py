import time

import pytest
from msgspec.structs import replace

from iskra_server.history.store import Store
from iskra_server.web.meters import show
from iskra_server.web.recorded import RecordedMeter, find
from samples import EXPORT, IMPORT, METER_ID, SERVER_ID
from web.past import Q, counted, info, power, telegrams
from web.serving import arrived

OTHER = info("1 ISK 00 70000001", Q - 8)
LIVE = show(arrived(), now_s=time.monotonic(), fresh=True, stale_after_s=60.0)


@pytest.mark.parametrize("name", [METER_ID, "1isk0012345678", SERVER_ID.hex(), SERVER_ID.hex().upper()])
def test_a_recorded_meter_answers_to_its_names(name: str) -> None:
    assert find(name, [OTHER, info()], None) == info()


def test_a_name_that_only_the_live_meter_has_leads_to_its_history() -> None:
    assert find("House", [OTHER, info()], LIVE) == info()


def test_a_live_meter_need_not_be_recorded_yet() -> None:
    found = find(METER_ID, [OTHER], LIVE)
    assert found is not None and (found.meter_id, found.server_id) == (METER_ID, SERVER_ID.hex())


@pytest.mark.parametrize("name", ["nobody", "", " ", "1ISK00"])
def test_other_names_lead_nowhere(name: str) -> None:
    assert find(name, [OTHER, replace(info(), server_id="")], None) is None


def test_a_meter_has_what_those_had_that_it_replaced(store: Store) -> None:
    store.write([*counted([1], obis=EXPORT, meter_id=OTHER.meter_id), *power(Q, [1, 2], OTHER.meter_id)], [OTHER])
    store.write([*counted([1]), *power(Q + 1, [3]), telegrams(Q * 900, [1])], [info()])
    alone = RecordedMeter(store, info(), store.meters())
    assert (alone.series(), alone.first_s) == ([IMPORT], Q * 900)
    store.replace_meter(OTHER.meter_id, METER_ID)
    both = RecordedMeter(store, info(), store.meters())
    assert (both.series(), both.first_s) == ([IMPORT, EXPORT], OTHER.first_s)
    assert [power.mean_mw for power in both.power_between(Q, Q + 9)] == [1000, 3000]
    assert len(both.points_between(Q * 900, Q * 900 + 1)) == 1
    store.write([replace(telegrams(Q * 900 + 2, [2]), meter_id=OTHER.meter_id)])
    between = both.power_blocks_between(Q * 900, Q * 900 + 9)
    assert [block.mean_mw for block in between] == [1000, 2000]
