from iskra_server.config.findings import ConfigError, Finding, error_of, warning


def test_an_error_is_a_finding_with_its_key_and_what_was_expected() -> None:
    error = ConfigError("server.port in a.toml must be a number.", "server.port", "a number")
    assert error_of(error) == Finding("error", "server.port in a.toml must be a number.", "server.port", "a number")


def test_an_error_may_have_both_languages() -> None:
    error = ConfigError(("x must be a number.", "x muss eine Zahl sein.\x07"), "x", ("a number", "eine Zahl"))
    found = Finding("error", "x must be a number.", "x", "a number", "x muss eine Zahl sein.?", "eine Zahl")
    assert (str(error), error_of(error)) == ("x must be a number.", found)


def test_a_warning_names_its_key() -> None:
    found = warning("contracts.1.levies", ("No table for 2027.", "Keine Tabelle für 2027."))
    assert (found.level, found.key, found.german) == ("warning", "contracts.1.levies", "Keine Tabelle für 2027.")


def test_the_german_expectation_alone_has_no_comma_of_its_sentence() -> None:
    error = ConfigError(("it must be a, b", "es muss a, b, sein"), "x.y", ("a, b", "a, b,"))
    assert (error.expected, error.expected_german) == ("a, b", "a, b")
