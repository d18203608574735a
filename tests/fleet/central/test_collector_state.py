from iskra_server.fleet.central.collector_state import CollectorState


def test_before_anything_has_happened_nothing_fails_and_nothing_was_written() -> None:
    state = CollectorState()
    assert (state.sentence, state.last_written_s, state.database_away_since_s) == ("", None, None)
