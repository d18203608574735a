"""The page iskra-server(1), in the language of troff, made of the commands themselves."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import typer

from iskra_server import __version__
from iskra_server.cli import COMMANDS, NAME, module_of

_MARKUP = re.compile(r"\[/?(?:bold|cyan|dim)\]")
_FILES = {
    "/etc/iskra-server/iskra-server.toml": "Configuration. Every key stands there with its default.",
    "/etc/default/iskra-server": "Variables of the service, such as IES_SERVER_PORT=8081; they override the file.",
    "/var/lib/iskra-server": "History: iskra.sqlite.",
    "/dev/serial/by-id": "Names of reading heads that stay the same.",
}
_STATUS = {
    "0": "Success.",
    "1": "A negative result, or not completed.",
    "2": "Wrong usage, configuration or file.",
}


def man_page(time: int) -> str:
    """`time` in seconds since 1970: the date at the foot of the page."""
    return "\n".join(_lines(datetime.fromtimestamp(time, UTC))) + "\n"


def _lines(day: datetime) -> Iterator[str]:
    yield f'.TH {NAME.upper()} 1 "{day:%Y-%m-%d}" "{NAME} {__version__}" "User Commands"'
    # hyphens of options and names are those that a shell takes
    yield from (".SH NAME", rf"{_text(NAME)} \- read an electricity meter and serve its exact reading over HTTP")
    yield from (".SH SYNOPSIS", f".B {_text(NAME)}", r"\fICOMMAND\fR [\fIOPTIONS\fR]")
    yield ".SH DESCRIPTION"
    yield _text(
        "Reads a smart meter through an infrared head at a serial port, or over the network, and serves what it says."
    )
    yield _text("The Debian package runs it as a service, with a page at http://localhost:8080/:")
    yield from (
        ".PP",
        ".nf",
        _text("    systemctl status iskra-server"),
        _text("    journalctl -u iskra-server -f"),
        ".fi",
    )
    yield ".SH COMMANDS"
    for name in COMMANDS:
        yield from _command(name, typer.main.get_command(module_of(name).app))
    yield ".SH EXIT STATUS"
    yield from _list(_STATUS)
    yield ".SH FILES"
    yield from _list(_FILES)
    yield ".SH SEE ALSO"
    yield r".BR systemctl (1),"
    yield r".BR journalctl (1)"


def _list(items: dict[str, str]) -> Iterator[str]:
    for name, meaning in items.items():
        yield from (".TP", rf"\fB{_text(name)}\fR", _text(meaning))


def _command(name: str, command: Any) -> Iterator[str]:
    nested = getattr(command, "commands", {})
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    words = ["COMMAND"] if nested else [argument.metavar or argument.name.upper() for argument in arguments]
    yield f'.SS "{_text(" ".join((NAME, name, "[OPTIONS]", *words)))}"'
    yield from _paragraphs(command.help)
    for parameter in command.params:
        if parameter.help:
            yield from (".TP", _names(parameter), _text(_with_default(parameter)))
    if command.epilog:
        examples = _MARKUP.sub("", command.epilog.partition("\n\n")[0]).partition("\n")[2]
        yield from (".PP", "Examples:", ".PP", ".nf", *map(_text, examples.splitlines()), ".fi")
    for inner, below in nested.items():
        yield from _command(f"{name} {inner}", below)


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return rf"\fI{_text(parameter.metavar or parameter.name.upper())}\fR"
    names = ", ".join(rf"\fB{_text(name)}\fR" for name in parameter.opts)
    return rf"{names} \fI{_text(parameter.metavar)}\fR" if parameter.metavar else names


def _with_default(parameter: Any) -> str:
    default = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    is_shown = default not in (None, False, "", True) and not callable(default)
    return f"{parameter.help} Default: {default}." if is_shown else parameter.help


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".PP"
        yield from (_text(line.strip()) for line in paragraph.splitlines())


def _text(text: str) -> str:
    """Plain text in which troff reads nothing as its own: backslashes, hyphens, . and ' at the begin of a line."""
    text = _MARKUP.sub("", text).replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text[:1] in (".", "'") else text
