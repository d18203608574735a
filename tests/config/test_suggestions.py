from iskra_server.config.suggestions import short, suggestion

NAMES = ["server.port", "server.host", "outputs.mqtt.url"]


def test_a_name_that_is_nearly_known_is_suggested() -> None:
    assert suggestion("server.prot", NAMES)[0] == "; did you mean server.port?"


def test_the_right_key_in_a_wrong_section_is_suggested() -> None:
    assert suggestion("log.url", NAMES)[0] == "; did you mean outputs.mqtt.url?"


def test_else_all_names_are_listed() -> None:
    assert suggestion("x", NAMES)[0] == "; known are server.port, server.host, outputs.mqtt.url."


def test_a_long_name_is_not_repeated_whole() -> None:
    assert short("x" * 61) == "x" * 60 + "..." and short("x" * 60) == "x" * 60


def test_the_beginning_of_several_names_suggests_all_of_them() -> None:
    names = ("outputs.shelly_3em", "outputs.shelly_em1", "outputs.sunspec")
    assert suggestion("outputs.shelly", names) == (
        "; did you mean outputs.shelly_3em or outputs.shelly_em1?",
        "; meinten Sie outputs.shelly_3em oder outputs.shelly_em1?",
    )
    assert suggestion("outputs.sun", names)[0] == "; did you mean outputs.sunspec?"
