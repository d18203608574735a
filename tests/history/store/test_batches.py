from iskra_server.history.store.batches import MAX_KEYS, batches


def test_every_item_is_in_one_batch_and_in_its_order() -> None:
    assert list(batches("abcdefg", 3)) == ["abc", "def", "g"]
    assert list(batches(range(6), 3)) == [range(3), range(3, 6)]
    assert list(batches([])) == []


def test_a_batch_has_no_more_keys_than_a_statement_takes() -> None:
    assert [len(batch) for batch in batches(range(2 * MAX_KEYS + 1))] == [MAX_KEYS, MAX_KEYS, 1]
