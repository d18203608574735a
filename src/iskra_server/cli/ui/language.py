"""In which language people are spoken to: as they say, else in that of the terminal."""

import os
from collections.abc import Mapping
from typing import Annotated, Literal

import typer

Language = Literal["en", "de"]


def of_terminal(environ: Mapping[str, str] = os.environ) -> Language:
    """That of its messages, by the rules of POSIX (locale(7)); English where it is neither of ours."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "de" if locale.partition("_")[0] == "de" else "en"


Lang = Annotated[
    Language,
    typer.Option(
        "--lang",
        metavar="en|de",
        default_factory=of_terminal,
        help="English or German.",
        show_default="that of the terminal",
    ),
]
