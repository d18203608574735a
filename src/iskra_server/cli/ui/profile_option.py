"""The option --profile, which selects a simulated meter."""

from typing import Annotated

import typer

from iskra_server.cli.ui.usage_error import UsageError, as_sentence
from iskra_server.simulator.profiles import PROFILES, profile

ProfileName = Annotated[
    str,
    typer.Option(
        "--profile",
        metavar="NAME",
        help=f"The model: {', '.join(PROFILES)}.",
        autocompletion=lambda: list(PROFILES),
    ),
]


def known_profile(name: str) -> str:
    """The name as in the table, in any case; UsageError with all names for an unknown one."""
    try:
        return profile(name).name
    except ValueError as error:
        raise UsageError(as_sentence(error)) from None
