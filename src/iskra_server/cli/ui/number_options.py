"""Options that take a number refuse nan and inf: nan passes every comparison with a minimum and a maximum."""

from copy import copy
from functools import partial
from math import isfinite
from typing import Any


def require_finite(command: Any) -> Any:
    """The command, and its subcommands, of which no option accepts nan or inf."""
    for parameter in command.params:
        if parameter.type.name in ("float", "float range"):
            # a copy: options may share their type
            parameter.type = copy(parameter.type)
            parameter.type.convert = partial(_finite, parameter.type.convert)
    for subcommand in getattr(command, "commands", {}).values():
        require_finite(subcommand)
    return command


def _finite(convert: Any, value: Any, parameter: Any, context: Any) -> Any:
    number = convert(value, parameter, context)
    if not isfinite(number):
        parameter.type.fail(f"{value!r} is not a valid float.", parameter, context)
    return number
