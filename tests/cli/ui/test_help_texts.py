"""Help texts read as sentences, and the documentation still sees what was declared."""

from typing import Any

import typer

from iskra_server.cli import module_of
from iskra_server.cli.ui.help_texts import simplify


def command(name: str) -> Any:
    return typer.main.get_command(module_of(name).app)


def test_a_default_in_words_has_no_brackets_around_it() -> None:
    serve = simplify(command("serve"))
    port = next(parameter for parameter in serve.params if parameter.name == "port")
    assert port.help == "TCP port of the web server. [dim]\\[default: 8080][/dim]"


def test_commands_below_a_command_are_simplified_too() -> None:
    backfill = simplify(command("homeassistant")).commands["backfill"]
    assert not [parameter for parameter in backfill.params if isinstance(parameter.show_default, str)]


def test_a_declaration_stays_as_it_is() -> None:
    simplify(command("serve"))
    port = next(parameter for parameter in command("serve").params if parameter.name == "port")
    assert port.show_default == "8080"
