from iskra_server.history.model.epoch_order import EpochOrder
from iskra_server.history.model.records import EpochStart, Exact
from samples import IMPORT, METER_ID

# a quarter, and the one an hour later
Q = 1_959_784


def start(epoch: int, quarter: int, second: int = 60) -> EpochStart:
    return EpochStart(METER_ID, IMPORT, epoch, quarter * 900 + second, Exact(5, 0), Exact(0, 0))


def test_numbers_that_grow_with_time_stay() -> None:
    order = EpochOrder([start(2, Q), start(5, Q + 10)])
    assert [each.epoch for each in order.starts] == [2, 5]
    assert [order.epoch(Q, 0), order.epoch(Q + 1, 2), order.epoch(Q + 11, 5)] == [0, 2, 5]
    assert EpochOrder([]).epoch(Q, 3) == 3


def test_numbers_that_do_not_grow_are_those_of_the_places_in_time() -> None:
    order = EpochOrder([start(1, Q + 10), start(7, Q), start(4, Q + 20)])
    assert [(each.epoch, each.at_s // 900) for each in order.starts] == [(1, Q), (2, Q + 10), (3, Q + 20)]
    assert [order.epoch(Q + at, epoch) for at, epoch in ((0, 0), (1, 7), (11, 1), (21, 4))] == [0, 1, 2, 3]


def test_another_reader_that_goes_on_with_an_older_number_is_in_the_epoch_of_its_time() -> None:
    order = EpochOrder([start(2, Q)])
    assert [order.epoch(Q, 0), order.epoch(Q + 1, 2), order.epoch(Q + 2, 0)] == [0, 2, 2]


def test_a_number_that_starts_much_later_is_not_yet_that_of_a_reading() -> None:
    order = EpochOrder([start(2, Q + 10)])
    assert order.epoch(Q, 2) == 1
    # by a clock that was set
    assert order.epoch(Q + 8, 2) == 2


def test_a_number_after_the_first_start_is_before_it_also_within_an_hour() -> None:
    """Its reader wrote first, and the other one, which saw the restart, took number 0: the counter would go back."""
    order = EpochOrder([start(0, Q)])
    assert [order.epoch(Q - 9, 1), order.epoch(Q, 1), order.epoch(Q + 1, 0)] == [-1, -1, 0]
    several = EpochOrder([start(2, Q), start(5, Q + 2)])
    assert [several.epoch(Q + at, epoch) for at, epoch in ((0, 9), (1, 5), (1, 9), (3, 9))] == [1, 5, 4, 9]
