from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.outputs.state import OutputHealth, OutputState, notices_by_output, without_unasked_ports


def test_an_output_begins_with_nothing_delivered_and_nothing_lost() -> None:
    state = OutputState("influx", ok=True)
    assert (state.delivered, state.waiting, state.refused, state.dropped, state.sentence) == (0, 0, 0, 0, "")


def test_a_broker_that_is_gone_is_news_once_and_since_then() -> None:
    health = OutputHealth("mqtt")
    assert health.state() == OutputState("mqtt", ok=True)
    health.delivered += 3
    assert health.failed(("It is away.", "Er ist weg."))
    since = health.state().since
    assert not health.failed(("It is still away.", "Er ist noch weg."))
    english, german = "It is still away.", "Er ist noch weg."
    state = OutputState("mqtt", ok=False, sentence=english, since=since, delivered=3, sentence_de=german)
    assert health.state() == state
    health.recovered()
    assert (health.state().ok, health.state().since) == (True, None)
    assert health.failed(("Again.", "Wieder."))


def test_a_denied_topic_is_not_well_until_it_is_allowed() -> None:
    health = OutputHealth("mqtt")
    assert health.denied("a", ("the broker denies a", "der Broker verweigert a"))
    assert not health.denied("b", ("the broker denies b", "der Broker verweigert b"))
    state = health.state()
    assert (state.ok, state.sentence) == (False, "The broker denies a. (2 topics are denied.)")
    assert state.sentence_de == "Der Broker verweigert a. (2 Topics werden verweigert.)"
    assert state.since is not None
    health.allowed("b")
    health.allowed("c")
    assert health.state().sentence == "The broker denies a."
    health.allowed("a")
    assert health.state() == OutputState("mqtt", ok=True)


def test_a_new_connection_knows_of_no_denied_topic() -> None:
    health = OutputHealth("mqtt")
    health.denied("a", ("the broker denies a", "der Broker verweigert a"))
    health.recovered()
    assert health.state().ok


def test_an_output_that_fails_by_a_bug_is_not_well() -> None:
    state = OutputState("influx", ok=True, delivered=3)
    assert state.with_bug("") is state
    failed = state.with_bug("UnicodeError")
    assert (failed.ok, failed.delivered) == (False, 3)
    assert failed.sentence.startswith("It fails (UnicodeError) and is restarted")


def test_a_device_that_is_asked_at_one_of_its_ports_has_no_notice_for_the_others() -> None:
    unasked, warned = advise("nothing_asks", {"minutes": "10"}), advise("shows_simulated")

    def states(requests: int, *notices: Advice) -> list[OutputState]:
        return [
            OutputState("shelly_pro_3em at UDP port 1010", ok=True, requests=requests, notices=notices),
            OutputState("shelly_pro_3em at UDP port 2220", ok=True, requests=0, notices=(unasked, warned)),
            OutputState("ecotracker", ok=True, requests=0, notices=(unasked,)),
        ]

    shown = without_unasked_ports(states(5))
    assert [state.notices for state in shown] == [(), (warned,), (unasked,)]
    # asked once, an hour ago
    assert without_unasked_ports(states(5, unasked)) == states(5, unasked)
    assert without_unasked_ports(states(0)) == states(0)


def test_what_several_outputs_share_is_told_once_with_their_names() -> None:
    simulated, seldom = advise("shows_simulated"), advise("shows_import_only", {"meter": "1 ISK 00 12345678"})
    states = [
        OutputState("mqtt", ok=True),
        OutputState("shelly_pro_3em at UDP port 1010", ok=True, notices=(simulated,)),
        OutputState("shelly_pro_3em", ok=True, notices=(seldom, simulated)),
        OutputState("vzlogger", ok=True, notices=(simulated,)),
    ]
    assert notices_by_output(states) == {simulated: ["shelly_pro_3em", "vzlogger"], seldom: ["shelly_pro_3em"]}
