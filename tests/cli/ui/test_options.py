from iskra_server.cli.ui.options import examples, given


def test_examples_stand_in_two_columns() -> None:
    first, *rows = examples({"a": "one", "abc": "two"}).splitlines()
    assert first == "[bold]Examples[/bold]"
    assert rows == ["  [cyan]a  [/cyan]  one", "  [cyan]abc[/cyan]  two"]


def test_options_that_were_not_given_set_nothing() -> None:
    options: dict[str, object] = {"meters.url": [], "server.host": None, "server.port": 1, "log.level": ""}
    assert given(options) == {"server.port": 1, "log.level": ""}
    assert given({"meters.url": ["auto"]}) == {"meters.url": ["auto"]}
