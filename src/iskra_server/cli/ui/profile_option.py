"""The option --profile, which selects a simulated meter, and the list of all of them below the help."""

from typing import Annotated

import typer

from iskra_server.cli.ui.options import examples
from iskra_server.cli.ui.usage_error import usage_errors
from iskra_server.simulator.profiles import PROFILES, by_protocol, profile
from iskra_server.simulator.simulated_meter import Profile

_WIDTH = max(len(name) for name in PROFILES if not name.endswith("-encrypted"))

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
    return "\n\n".join((examples(commands), *(_section(title, models) for title, models in by_protocol().items())))


def _section(title: str, models: list[Profile]) -> str:
    # an encrypted one shares the line of its clear twin
    clear = [model for model in models if model.name.removesuffix("-encrypted") == model.name]
    also = "" if len(clear) == len(models) else ", each also encrypted: NAME-encrypted"
    rows = (f"  [cyan]{model.name:{_WIDTH}}[/cyan]  {model.summary}" for model in clear)
    return "\n".join((f"[bold]{title}[/bold]{also}", *rows))


def known_profile(name: str) -> str:
    """The name as in the table, in any case; UsageError with all names for an unknown one."""
    with usage_errors():
        return profile(name).name
