from iskra_server.fleet.central.collector_state import CollectorState


def test_what_keeps_a_collector_is_said_in_one_text() -> None:
    assert CollectorState().sentence == ""
    assert CollectorState(broker_sentence="No broker.", database_sentence="No database.").sentence == (
        "No broker. No database."
    )
