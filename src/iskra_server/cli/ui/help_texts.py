"""What help pages show of an option: its default without brackets around it, and no type where its name says it."""

from copy import copy
from typing import Any


def simplify(command: Any) -> Any:
    """The command, and its subcommands, with help texts that read as sentences."""
    for parameter in command.params:
        if isinstance(getattr(parameter, "show_default", None), str):
            # rich escapes the bracket so; it is imported for help pages alone, and costs `serve` megabytes
            parameter.help = rf"{parameter.help} [dim]\[default: {parameter.show_default}][/dim]"
            parameter.show_default = False
        if parameter.param_type_name == "argument" and parameter.metavar:
            # a copy: all texts have the same object as their type
            parameter.type = copy(parameter.type)
            parameter.type.get_metavar = _no_type
    for subcommand in getattr(command, "commands", {}).values():
        simplify(subcommand)
    return command


def _no_type(*_: Any, **__: Any) -> str:
    return ""
