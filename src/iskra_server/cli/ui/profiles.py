"""The option that names a simulated meter, for every command that has one."""

from typing import Annotated

import typer

from iskra_server.cli.ui.refusal import Refused
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
    """The name as it is written in the table; refuses any other, with the list of names."""
    try:
        return profile(name).name
    except ValueError as error:
        raise Refused(sentence(error)) from None


def sentence(error: ValueError) -> str:
    """The text of an error as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
