"""The command line. Each command is a module that is imported only when it is called: `serve` stays small.

Exit status: 0 success, 1 negative result or not completed, 2 wrong usage, configuration or file. An error is one
sentence on stderr.
"""

import codecs
import os
import re
import sys
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from iskra_server.base.build import full_version, read_build
from iskra_server.cli.ui.help_texts import simplify
from iskra_server.cli.ui.number_options import require_finite
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import ConfigError

NAME = "iskra-server"
# longer file names are cut in error sentences
_MAX_NAME = 200
# names of types in messages of the command line library -> plain words
_PLAIN = (
    (r"a valid int(eger)?( range)?\.?$", "a whole number"),
    (r"a valid float( range)?\.?$", "a number"),
    (r"is not in the range (\S+?)<=x<=(\S+?)\.?$", r"is not between \1 and \2"),
    (r"is not in the range x>=(\S+?)\.?$", r"is less than \1"),
)
# command -> summary, in the order in which people need them
COMMANDS = {
    "serve": "Read the meters and serve their values over HTTP.",
    "demo": "Serve a simulated meter in a realistic household.",
    "doctor": "Find out why no values arrive, and what to do next.",
    "ports": "List serial ports and the devices behind them.",
    "read": "Show the values of a meter live in the terminal.",
    "align": "Show the share of valid telegrams while you move the head.",
    "unlock": "Guide you through entering the PIN at the meter.",
    "decode": "Show the telegrams of a capture.",
    "record": "Record what a meter sends, for a bug report.",
    "simulate": "Send the telegrams of a simulated meter to a port, a file or a pipe.",
    "homeassistant": "Print the YAML for Home Assistant; write the hours that it missed.",
    "export": "Write history as CSV or Parquet.",
    "import": "Import history from a file.",
    "prices": "Fetch, show and import spot prices.",
    "history": "Find history rows with impossible times, and set them aside.",
    "backup": "Copy the history to a file. The server may keep running.",
    "restore": "Replace the history with a backup. Stop the server first.",
    "notify": "Send a test message through the configured channels.",
    "meters": "List the meters in history; record that a meter was replaced or removed.",
    "support-bundle": "Write an anonymised support bundle for a bug report.",
    "config": "Check and show the configuration.",
    "version": "Print the version.",
    "groups": "Assign meters to groups (building, tenant, tariff) from a CSV table.",
    "fleet": "Manage the readers of a central server, their meters and conflicting values.",
    "prepare": "Create the tables and monthly partitions in PostgreSQL; drop old months.",
    "collect": "Receive the data of all readers and store it in the central database.",
    "uplink": "Show what waits for the central server and why; send quarter-hours again.",
}
# of a central server and its readers, in a panel of their own
FLEET = ("groups", "fleet", "prepare", "collect", "uplink")


def module_of(command: str) -> Any:
    """The module of a command; a Python keyword gets an underscore (`import_`)."""
    name = command.replace("-", "_")
    return import_module(
        f"iskra_server.cli.commands.{name}_" if iskeyword(name) else f"iskra_server.cli.commands.{name}"
    )


class Commands(TyperGroup):
    """Lists commands by their summaries; imports a command only when it is used."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {
            name: TyperCommand(name=name, help=summary, rich_help_panel="Many meters" if name in FLEET else None)
            for name, summary in COMMANDS.items()
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] in COMMANDS:
            self.commands[args[0]] = require_finite(simplify(typer.main.get_command(module_of(args[0]).app)))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # the other end of the pipe was closed, as `head` does
            _discard_output()
            return 0


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="With an IR head on USB, no configuration is needed:  [bold]iskra-server serve[/bold]",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"{NAME} {full_version(read_build())}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read ISKRA electricity meters and serve their exact values."""


def main() -> None:
    """Run the command line; ends the process."""
    _prepare_streams()
    status = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        status = _report_unwritable(error)
    sys.exit(status)


def _run() -> int:
    """Run the command; returns its exit status."""
    program = Path(sys.argv[0]).name
    try:
        return int(app(prog_name=program if program.startswith("iskra") else NAME, standalone_mode=False) or 0)
    except (UsageError, ConfigError) as error:
        _print_error(str(error))
        return error.status if isinstance(error, UsageError) else 2
    except typer.TyperException as error:
        if message := _plain(error.format_message()):
            context = getattr(error, "ctx", None)
            command = context.command_path if context else NAME
            _print_error(f"{message.removesuffix('.')}{'' if message.endswith('?') else '.'} See {command} --help.")
        return error.exit_code
    except OSError as error:
        return _report_unusable(error) if error.filename else _report_unwritable(error)


def _plain(message: str) -> str:
    """The message of the command line library without its names of types."""
    for pattern, words in _PLAIN:
        message = re.sub(pattern, words, message)
    return message


def _prepare_streams() -> None:
    """Make all three standard streams usable, whatever the process was started with, for text of any language.

    A closed stream is opened again: else the next database or port would get its number, and be written to.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors="replace")


def _report_unusable(error: OSError) -> int:
    name = str(error.filename)
    _print_error(f"{name if len(name) <= _MAX_NAME else f'{name[:_MAX_NAME]}...'} cannot be used: {error.strerror}.")
    return 2


def _report_unwritable(error: OSError) -> int:
    _print_error(f"The output cannot be written: {error.strerror or error}.")
    _discard_output()
    return 1


def _discard_output() -> None:
    """Redirect stdout to nowhere: at exit Python would try to write its buffer again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error(sentence: str) -> None:
    print(f"{NAME}: {sentence}", file=sys.stderr)
