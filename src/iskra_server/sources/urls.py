"""What a source's address looks like, and the source behind it."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import parse_qsl

from iskra_server.sources.auto import auto_source
from iskra_server.sources.replay import Replay
from iskra_server.sources.serial import BAUD, serial_source
from iskra_server.sources.source import Source, Tell, plainly
from iskra_server.sources.tcp import bridge_source, tcp_source

FORMS = (
    "auto",
    "/dev/serial/by-id/NAME",
    "/dev/ttyUSB0?baud=9600",
    "tcp://HOST:PORT",
    "rfc2217://HOST:PORT",
    "esphome://HOST/?port_name=NAME",
    "file:PATH?speed=1",
)

# pyserial's socket://HOST:PORT, telnet://, and HOST:PORT without a scheme; a bare name is taken for a file
_NETWORK = re.compile(
    r"(?:socket|telnet)://(?P<host>[^/:?@]+|\[[0-9a-fA-F:]+\])(?P<port>:\d+)?/?(?:\?.*)?"
    r"|(?P<bare>(?:\d{1,3}\.){3}\d{1,3}|[\w-]+(?:\.[\w-]+)*(?=:\d)|\[[0-9a-fA-F:]+\])(?P<number>:\d+)?"
)
_WINDOWS = re.compile(r"(?:\\\\\.\\)?COM\d+:?", re.IGNORECASE)
_DEVICE = re.compile(r"tty[A-Za-z]+\d+|serial\d(?:\?.*)?")


def open_source(url: str, *, recognise: Callable[[bytes], bool], tell: Tell = plainly) -> Source:
    """The source of an address, not opened yet; `recognise` knows a meter's octets. ValueError has a sentence.

    `tell` has the words for the log.
    """
    if not url.isprintable():
        raise ValueError(f"{url!r} has characters that no address has.")
    if better := _better(url):
        raise ValueError(f"{url} is not an address of a meter; {better}.")
    scheme = url.split(":", 1)[0] if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", url) else ""
    match scheme:
        case "" if url == "auto":
            return auto_source(recognise, tell=tell)
        case "" if url:
            path, number = _with_number(url, "baud", BAUD)
            if number < 1 or number != int(number):
                raise ValueError(f"The speed in {url} must be a whole number of bauds, for example ?baud=9600.")
            return serial_source(url, path, int(number), tell=tell)
        case "tcp":
            return tcp_source(url, tell=tell)
        case "rfc2217" | "esphome":
            return bridge_source(url, tell=tell)
        case "file":
            path, speed = _with_number(url.removeprefix("file:"), "speed", 1.0)
            return Replay(url=url, path=Path(path), speed=speed, tell=tell)
    raise ValueError(f"{url!r} is not an address of a meter. It can be {_either(FORMS)}.")


def _better(url: str) -> str:
    """What to write instead of an address that other programs understand, or that lacks its beginning."""
    if found := _NETWORK.fullmatch(url):
        return f"write tcp://{found['host'] or found['bare']}{found['port'] or found['number'] or ':PORT'}"
    if found := _WINDOWS.fullmatch(url):
        return f"{url.upper()} is a port of Windows; iskra-server ports lists the ports of this computer"
    if _DEVICE.fullmatch(url) and not os.path.exists(url):
        return f"write /dev/{url}"
    return ""


def _with_number(url: str, name: str, default: float) -> tuple[str, float]:
    """A path and the one number that may follow it as a query."""
    path, _, query = url.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    text = options.pop(name, str(default))
    if options:
        raise ValueError(f"{url} has an unknown option {next(iter(options))}. There is only {name}.")
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ValueError(f"{name} in {url} must be a number, not {text!r}.")
    return path, number


def _either(forms: Iterable[str]) -> str:
    *others, last = forms
    return f"{', '.join(others)} or {last}"
