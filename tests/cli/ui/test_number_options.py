"""No option that takes a number accepts nan or inf, whatever command it is of."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from iskra_server.cli import COMMANDS, module_of
from iskra_server.cli.ui.number_options import require_finite


def options(command: Any) -> Iterator[Any]:
    yield from (parameter for parameter in command.params if parameter.type.name in ("float", "float range"))
    for subcommand in getattr(command, "commands", {}).values():
        yield from options(subcommand)


def test_every_number_option_refuses_nan_and_inf() -> None:
    found = [
        option for name in COMMANDS for option in options(require_finite(typer.main.get_command(module_of(name).app)))
    ]
    assert len(found) >= 7
    for option in found:
        for text in ("nan", "inf", "-inf"):
            with pytest.raises(Exception, match=r"is not a valid float|is not in the range"):
                option.type.convert(text, option, None)
        assert option.type.convert("2", option, None) == 2
