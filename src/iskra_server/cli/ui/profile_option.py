"""The option --profile, which selects a simulated meter, and the list of all of them below the help."""

from typing import Annotated

import typer
from rich.markup import escape

from iskra_server.cli.ui.options import examples
from iskra_server.cli.ui.usage_error import UsageError, as_sentence
from iskra_server.simulator.profiles import PROFILES, by_protocol, profile
from iskra_server.simulator.simulated_meter import Profile

_ENCRYPTED = "-encrypted"
_WIDTH = len("AM550-Ljubljana[-encrypted]")

ProfileName = Annotated[
    str,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="The simulated meter; --help ends with a list.",
        autocompletion=lambda: list(PROFILES),
    ),
]


def examples_and_profiles(commands: dict[str, str]) -> str:
    """The end of a command's help: its examples, and the profiles by protocol, one line each."""
    sections = (
        "\n".join((f"[bold]{title}[/bold]", *map(_line, filter(_is_clear, models))))
        for title, models in by_protocol().items()
    )
    return "\n\n".join((examples(commands), *sections))


def _is_clear(model: Profile) -> bool:
    """Whether a profile has a line of its own: an encrypted one shares that of its clear twin."""
    return not model.key


def _line(model: Profile) -> str:
    name = f"{model.name}[{_ENCRYPTED}]" if f"{model.name}{_ENCRYPTED}" in PROFILES else model.name
    return f"  [cyan]{escape(f'{name:{_WIDTH}}')}[/cyan]  {model.summary}"


def known_profile(name: str) -> str:
    """The name as in the table, in any case; UsageError with all names for an unknown one."""
    try:
        return profile(name).name
    except ValueError as error:
        raise UsageError(as_sentence(error)) from None
