from iskra_server.diagnosis.output import OutputState, Standing


def test_an_output_begins_with_nothing_delivered_and_nothing_lost() -> None:
    state = OutputState("influx", ok=True)
    assert (state.delivered, state.waiting, state.refused, state.dropped, state.sentence) == (0, 0, 0, 0, "")


def test_a_broker_that_is_gone_is_news_once_and_since_then() -> None:
    standing = Standing("mqtt")
    assert standing.state() == OutputState("mqtt", ok=True)
    standing.delivered += 3
    assert standing.gone("It is away.")
    since = standing.state().since
    assert not standing.gone("It is still away.")
    assert standing.state() == OutputState("mqtt", ok=False, sentence="It is still away.", since=since, delivered=3)
    standing.back()
    assert (standing.state().ok, standing.state().since) == (True, None)
    assert standing.gone("Again.")
