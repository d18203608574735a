"""The command line. Each command is a module that is imported only when it is called: `serve` stays small.

Exit status: 0 good, 1 the answer is no, 2 wrong usage or configuration. What goes wrong is one sentence on stderr.
"""

import codecs
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from iskra_server import __version__
from iskra_server.cli.ui.refusal import Refused
from iskra_server.config import ConfigError

NAME = "iskra-server"
# what fits into a sentence
_MAX_NAME = 200
# command -> what it does, in the order in which one needs them
COMMANDS = {
    "serve": "Read the meter and serve its values over HTTP.",
    "demo": "Serve a simulated meter in a believable household.",
    "doctor": "Find what keeps values from arriving, and the next step.",
    "ports": "List the serial ports and what is behind them.",
    "read": "Show the values of a meter live in the terminal.",
    "align": "Show how well telegrams arrive while you move the head.",
    "unlock": "Help to enter the PIN at the meter, and watch it take effect.",
    "decode": "Show the telegrams of a capture.",
    "record": "Record what a meter sends, for a bug report.",
    "simulate": "Be a meter: send telegrams to a port, a file or a pipe.",
    "groups": "Give meters their building, tenant, tariff from a table.",
    "prepare": "Lay out a PostgreSQL and its months ahead; forget old months.",
    "collect": "Write what readers send into the database of the centre.",
    "homeassistant": "Print the YAML for Home Assistant, ready to paste.",
    "export": "Write history as CSV or Parquet.",
    "import": "Read history from a file.",
    "history": "Find history entries with impossible times, and set them aside.",
    "backup": "Copy the history to a file; the server may run.",
    "restore": "Put a backup in the place of the history; the server must not run.",
    "meters": "List the meters that history knows; say that one replaced another, or is gone.",
    "support-bundle": "Pack what a bug report needs, without who it is from.",
    "config": "Check and show the configuration.",
    "version": "Print the version.",
}


def module_of(command: str) -> Any:
    """The module of a command; one that is a word of the language has an underscore more."""
    name = command.replace("-", "_")
    return import_module(
        f"iskra_server.cli.commands.{name}_" if iskeyword(name) else f"iskra_server.cli.commands.{name}"
    )


class Commands(TyperGroup):
    """Lists commands by their summaries; imports one when it is called, or completed, or asked for help."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name=name, help=summary) for name, summary in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] in COMMANDS:
            self.commands[args[0]] = typer.main.get_command(module_of(args[0]).app)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # the reader of a pipe has seen enough
            _discard_output()
            return 0


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A meter with an infrared head on USB needs nothing but:  [bold]iskra-server serve[/bold]",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read an ISKRA electricity meter and serve exactly what it says."""


def main() -> None:
    """Run the command line; ends the process."""
    _prepare_streams()
    status = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        status = _unwritable(error)
    sys.exit(status)


def _run() -> int:
    """The exit status of the command that was called."""
    called = Path(sys.argv[0]).name
    try:
        return int(app(prog_name=called if called.startswith("iskra") else NAME, standalone_mode=False) or 0)
    except (Refused, ConfigError) as error:
        _say(str(error))
        return error.status if isinstance(error, Refused) else 2
    except typer.TyperException as error:
        if message := error.format_message():
            _say(f"{message.removesuffix('.')}{'' if message.endswith('?') else '.'} See {NAME} --help.")
        return error.exit_code
    except OSError as error:
        return _unusable(error) if error.filename else _unwritable(error)


def _prepare_streams() -> None:
    """Whatever streams this process was started with, each can be used, and text of any language is printed.

    A stream that was closed is opened again, so that its number goes to no database or port; writing to it fails.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors="replace")


def _unusable(error: OSError) -> int:
    name = str(error.filename)
    _say(f"{name if len(name) <= _MAX_NAME else f'{name[:_MAX_NAME]}...'} cannot be used: {error.strerror}.")
    return 2


def _unwritable(error: OSError) -> int:
    _say(f"The output cannot be written: {error.strerror or error}.")
    _discard_output()
    return 1


def _discard_output() -> None:
    """What is still buffered has nowhere to go, and the end of the process would try again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(sentence: str) -> None:
    print(f"{NAME}: {sentence}", file=sys.stderr)
