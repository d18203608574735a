"""What is wrong with a configuration is a sentence."""

from iskra_server.config.errors import ConfigError


def test_a_mistake_is_told_as_it_is_written() -> None:
    assert str(ConfigError("server.port must be a number.")) == "server.port must be a number."


def test_a_sentence_is_one_line_whatever_it_repeats() -> None:
    assert str(ConfigError("'a\n\x1b[31mb' is not a key.")) == "'a??[31mb' is not a key."
