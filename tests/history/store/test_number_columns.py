from iskra_server.history.store.number_columns import in_order, numbers


def test_a_text_is_its_numbers() -> None:
    assert numbers("1,-20,300000000000000000") == [1, -20, 300_000_000_000_000_000]
    assert numbers(None) == []


def test_columns_are_put_in_the_order_of_their_keys() -> None:
    assert in_order([3, 1, 2], [30, 10, 20]) == ([1, 2, 3], [10, 20, 30])
    assert in_order([1, 2], [5, 4]) == ([1, 2], [5, 4])
