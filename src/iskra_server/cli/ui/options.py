"""What several commands share: their form, and the options with the same meaning everywhere."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

# a command's function; typer reads its annotations
Function = Callable[..., None]

HELP = {"help_option_names": ["-h", "--help"]}

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Read this configuration instead of looking for one."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
LogLevel = Annotated[
    str | None,
    typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error.", show_default=False),
]
LogFormat = Annotated[
    str | None,
    typer.Option("--log-format", metavar="FORM", help="text for people, json for collectors.", show_default=False),
]
Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, metavar="PORT", help="TCP port to serve.", show_default="8080"),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what is wrong.")]


def single() -> typer.Typer:
    """An application of one command."""
    return typer.Typer(
        add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False, context_settings=HELP
    )


def examples(lines: Mapping[str, str]) -> str:
    """Command line -> what it does, as the end of a help page."""
    width = max(map(len, lines))
    rows = (f"  [cyan]{line:{width}}[/cyan]  {meaning}" for line, meaning in lines.items())
    return "\n".join(("[bold]Examples[/bold]", *rows))


def given(options: Mapping[str, Any]) -> dict[str, object]:
    """The options that were given on the command line, by configuration key."""
    return {key: value for key, value in options.items() if value not in (None, [], ())}
