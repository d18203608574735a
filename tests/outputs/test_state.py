from iskra_server.outputs.state import OutputHealth, OutputState


def test_an_output_begins_with_nothing_delivered_and_nothing_lost() -> None:
    state = OutputState("influx", ok=True)
    assert (state.delivered, state.waiting, state.refused, state.dropped, state.sentence) == (0, 0, 0, 0, "")


def test_a_broker_that_is_gone_is_news_once_and_since_then() -> None:
    standing = OutputHealth("mqtt")
    assert standing.state() == OutputState("mqtt", ok=True)
    standing.delivered += 3
    assert standing.gone("It is away.")
    since = standing.state().since
    assert not standing.gone("It is still away.")
    assert standing.state() == OutputState("mqtt", ok=False, sentence="It is still away.", since=since, delivered=3)
    standing.back()
    assert (standing.state().ok, standing.state().since) == (True, None)
    assert standing.gone("Again.")


def test_a_denied_topic_is_not_well_until_it_is_allowed() -> None:
    standing = OutputHealth("mqtt")
    assert standing.denied("a", "the broker denies a")
    assert not standing.denied("b", "the broker denies b")
    state = standing.state()
    assert (state.ok, state.sentence) == (False, "The broker denies a. (2 topics are denied.)")
    assert state.since is not None
    standing.allowed("b")
    standing.allowed("c")
    assert standing.state().sentence == "The broker denies a."
    standing.allowed("a")
    assert standing.state() == OutputState("mqtt", ok=True)


def test_a_new_connection_knows_of_no_denied_topic() -> None:
    standing = OutputHealth("mqtt")
    standing.denied("a", "the broker denies a")
    standing.back()
    assert standing.state().ok


def test_an_output_that_fails_by_a_bug_is_not_well() -> None:
    state = OutputState("influx", ok=True, delivered=3)
    assert state.failed("") is state
    failed = state.failed("UnicodeError")
    assert (failed.ok, failed.delivered) == (False, 3)
    assert failed.sentence.startswith("It fails (UnicodeError) and is started again")
