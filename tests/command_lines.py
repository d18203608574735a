"""Whether a command line of the documentation is one that the program has: its command, options and arguments."""

import re
from collections.abc import Iterator
from typing import Any

import typer

from iskra_server.cli import COMMANDS, module_of

# what a page writes for something that the reader fills in
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*")
_HELP = ("-h", "--help")


class _WrongError(Exception):
    pass


def problem_of(words: list[str]) -> str | None:
    """What is wrong with the words after `iskra-server`; None if nothing is."""
    if not words or words in (["--help"], ["--version"]):
        return None
    if words[0] not in COMMANDS:
        return f"there is no command {words[0]}"
    try:
        _check(typer.main.get_command(module_of(words[0]).app), words[1:])
    except _WrongError as error:
        return str(error)
    return None


def _check(command: Any, words: list[str]) -> None:
    nested = getattr(command, "commands", {})
    rest = iter(words)
    given = 0
    for word in rest:
        if word in nested:
            return _check(nested[word], list(rest))
        if word == "[OPTIONS]" or (word == "COMMAND" and nested):
            # the form of a command, as its help shows it
            return None
        if word.startswith("-") and word != "-":
            _check_option(command, word, rest)
        else:
            given += 1
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    if given > len(arguments) and not any(argument.nargs == -1 for argument in arguments):
        raise _WrongError("it has too many arguments")
    if given < sum(argument.required for argument in arguments) and not set(words) & set(_HELP):
        raise _WrongError("an argument is missing")
    return None


def _check_option(command: Any, word: str, rest: Iterator[str]) -> None:
    """Takes the value of the option from the words that follow."""
    options = {name: parameter for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    name, sign, value = word.partition("=")
    option = options.get(name)
    if name in _HELP:
        return
    if option is None:
        raise _WrongError(f"there is no option {name}")
    if option.is_flag:
        return
    value = value if sign else next(rest, "")
    if not value:
        raise _WrongError(f"{name} needs a value")
    choices = [str(getattr(choice, "value", choice)) for choice in getattr(option.type, "choices", ())]
    if choices and value not in choices and not _PLACEHOLDER.fullmatch(value):
        raise _WrongError(f"{name} {value} is none of {', '.join(choices)}")
