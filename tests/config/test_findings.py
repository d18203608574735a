from iskra_server.config.findings import ConfigError, Finding, error_of, warning


def test_an_error_is_a_finding_with_its_key_and_what_was_expected() -> None:
    error = ConfigError("server.port in a.toml must be a number.", "server.port", "a number")
    assert error_of(error) == Finding("error", "server.port in a.toml must be a number.", "server.port", "a number")


def test_a_warning_names_its_key() -> None:
    finding = warning("contracts.1.levies", ("No table for 2027.", "Keine Tabelle für 2027."))
    assert (finding.level, finding.key, finding.german) == ("warning", "contracts.1.levies", "Keine Tabelle für 2027.")
