"""Options with the same meaning in all commands, and the settings of their help pages."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from iskra_server.base.language import Language

HELP = {"help_option_names": ["-h", "--help"]}

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration file; overrides the search for one."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, one object per line.")]
LogLevel = Annotated[
    str | None,
    typer.Option(
        "--log-level",
        metavar="LEVEL",
        help="Least important lines to log: debug, info, warning or error.",
        show_default=False,
    ),
]
LogFormat = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="FORMAT",
        help="Format of log lines: text, or json for log collectors.",
        show_default=False,
    ),
]
Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, metavar="PORT", help="TCP port of the web server.", show_default="8080"),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]


def terminal_language(environ: Mapping[str, str] = os.environ) -> Language:
    """The language of the locale by the rules of POSIX (locale(7)); English where it is neither of ours."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "de" if locale.partition("_")[0] == "de" else "en"


Lang = Annotated[
    Language,
    typer.Option(
        "--lang",
        metavar="en|de",
        default_factory=terminal_language,
        help="Language: English or German.",
        show_default="that of the terminal",
    ),
]


def command_app() -> typer.Typer:
    """A Typer application of one command."""
    return _app()


def group_app(summary: str, example_lines: Mapping[str, str], *, needs_subcommand: bool = True) -> typer.Typer:
    """A Typer application of several subcommands, such as `config check` and `config show`."""
    return _app(help=summary, epilog=examples(example_lines), no_args_is_help=needs_subcommand)


def _app(**settings: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings=HELP,
        **settings,
    )


def examples(lines: Mapping[str, str]) -> str:
    """Example command lines and what they do, for the end of a help page."""
    width = max(map(len, lines))
    rows = (f"  [cyan]{line:{width}}[/cyan]  {meaning}" for line, meaning in lines.items())
    return "\n".join(("[bold]Examples[/bold]", *rows))


def only_set(options: Mapping[str, Any]) -> dict[str, object]:
    """Without the options that were not given on the command line; by configuration key."""
    return {key: value for key, value in options.items() if value not in (None, [], ())}
