"""What other programs depend on (docs/compatibility.md). `PYTHONPATH=tests python -m interfaces` freezes it.

    frozen_interfaces/0.1.0.txt     what version 0.1.0 has, a line each: later versions add lines, and remove none

While a version is not released yet, its file may be frozen again.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from iskra_server import __version__
from iskra_server.cli import COMMANDS, module_of
from iskra_server.config import describe, describe_tables
from iskra_server.config.app_options import OPTIONS
from iskra_server.meter.registers import REGISTERS
from iskra_server.web.api.openapi import document
from iskra_server.web.app import all_endpoints

FROZEN = Path(__file__).parent / "frozen_interfaces"


def interfaces() -> list[str]:
    """Every name, with its type or unit where it has one, in order."""
    return sorted({*_configuration(), *_http(), *_commands(), *_registers()})


def _configuration() -> Iterator[str]:
    for key in (*describe(), *describe_tables()):
        yield f"key {key.path}"
        yield from (f"variable {variable}" for variable in key.variables)
    yield from (f"option of the app {name}" for name in OPTIONS)


def _registers() -> Iterator[str]:
    yield from (f"register {register.key}: {code} in {register.unit}" for code, register in REGISTERS.items())


def _commands() -> Iterator[str]:
    for name in COMMANDS:
        yield from _command(name, typer.main.get_command(module_of(name).app))


def _command(path: str, command: Any) -> Iterator[str]:
    yield f"command {path}"
    for parameter in command.params:
        if parameter.param_type_name == "option":
            yield from (f"command {path} {name}" for name in parameter.opts)
    for name, nested in getattr(command, "commands", {}).items():
        yield from _command(f"{path} {name}", nested)


def _http() -> Iterator[str]:
    description = json.loads(document(all_endpoints(), __version__))
    schemas = description["components"]["schemas"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            route = f"{method.upper()} {path}"
            yield from (f"{route} ?{parameter['name']}" for parameter in operation["parameters"])
            for status, response in operation["responses"].items():
                for media_type, content in response["content"].items():
                    yield f"{route} {status} {media_type}"
                    # errors are problem details, which are the same everywhere
                    if status == "200":
                        yield from (f"{route}: {field}" for field in _fields(content["schema"], schemas, ()))


def _fields(schema: dict[str, Any], schemas: dict[str, Any], within: tuple[str, ...]) -> Iterator[str]:
    """The paths of all values in an answer, with their types: `meters[].power_w: number`."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        schema = schemas[name]
    for alternative in schema.get("anyOf", ()):
        yield from _fields(alternative, schemas, within)
    if "items" in schema:
        yield from _fields(schema["items"], schemas, (*within[:-1], f"{within[-1] if within else ''}[]"))
    if "properties" in schema:
        for name, value in schema["properties"].items():
            yield from _fields(value, schemas, (*within, name))
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from _fields(schema["additionalProperties"], schemas, (*within, "*"))
    elif within and "items" not in schema and "anyOf" not in schema:
        yield f"{'.'.join(within)}: {schema.get('type', 'any')}"


if __name__ == "__main__":
    FROZEN.mkdir(exist_ok=True)
    (FROZEN / f"{__version__}.txt").write_text("\n".join(interfaces()) + "\n")
