import pytest
from msgspec.structs import replace

from iskra_server.history.store.recorded_meter import RecordedMeter, recorded_meter
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID, SERVER_ID
from web.past import Q, counted, info, power, telegrams

OTHER = info("1 ISK 00 70000001", Q - 8)


@pytest.fixture
def known(store: Store) -> Store:
    store.write([], [OTHER, info()])
    return store


@pytest.mark.parametrize("name", [METER_ID, "1isk0012345678", SERVER_ID.hex(), SERVER_ID.hex().upper()])
def test_a_recorded_meter_answers_to_its_names(known: Store, name: str) -> None:
    assert found(known, name) == (METER_ID, Q * 900)


def test_the_first_of_several_names_that_history_knows_counts(known: Store) -> None:
    assert found(known, "House", METER_ID) == (METER_ID, Q * 900)


@pytest.mark.parametrize("name", ["nobody", "", " ", "1ISK00", "1ISK\0"])
def test_other_names_lead_nowhere(store: Store, name: str) -> None:
    store.write([], [OTHER, replace(info(), server_id="")])
    assert recorded_meter(store, [name]) is None


def test_it_is_found_with_all_that_it_replaced_and_nothing_else(known: Store) -> None:
    first = info("1 ISK 00 70000000", Q - 16)
    known.write([], [first, info("1 ISK 00 70000009", Q - 99)])
    for old, new in ((first, OTHER), (OTHER, info())):
        known.replace_meter(old.meter_id, new.meter_id)
    assert found(known, METER_ID) == (METER_ID, first.first_s)
    assert found(known, OTHER.meter_id) == (OTHER.meter_id, first.first_s)
    assert found(known, first.meter_id) == (first.meter_id, first.first_s)


def found(store: Store, *names: str) -> tuple[str, int]:
    """The meter that goes by one of these names, and when its history begins."""
    meter = recorded_meter(store, names)
    assert meter is not None
    return meter.id, meter.first_s


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
