import pytest

from iskra_server.cli.ui.options import examples, only_set, terminal_language


def test_examples_stand_in_two_columns() -> None:
    first, *rows = examples({"a": "one", "abc": "two"}).splitlines()
    assert first == "[bold]Examples[/bold]"
    assert rows == ["  [cyan]a  [/cyan]  one", "  [cyan]abc[/cyan]  two"]


def test_options_that_were_not_given_set_nothing() -> None:
    options: dict[str, object] = {"meters.url": [], "server.host": None, "server.port": 1, "log.level": ""}
    assert only_set(options) == {"server.port": 1, "log.level": ""}
    assert only_set({"meters.url": ["auto"]}) == {"meters.url": ["auto"]}


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "den_CA"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "de_AT.UTF-8", "LC_ALL": ""}, "de"),
    ],
)
def test_the_first_variable_that_is_set_decides(environ: dict[str, str], language: str) -> None:
    assert terminal_language(environ) == language
