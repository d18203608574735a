"""The addresses of sources, and the source that each address makes."""

import os
import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import parse_qsl

from iskra_server.base.address import Address
from iskra_server.sources.auto import auto_source
from iskra_server.sources.network_source import network_source
from iskra_server.sources.port_memory import PortMemory
from iskra_server.sources.port_source import port_source
from iskra_server.sources.replay import Replay
from iskra_server.sources.source import FormatProblem, OnUnrecognised, Source, ignore_unrecognised, plain_problem
from iskra_server.sources.source_options import listed

FORMS = (
    "auto",
    "/dev/serial/by-id/NAME",
    "/dev/ttyUSB0?protocol=d0",
    "tcp://HOST:PORT",
    "rfc2217://HOST:PORT",
    "esphome://HOST/?port_name=NAME",
    "http://USER:PASSWORD@HOST/data.json?node_id=1",
    "mqtt://USER:PASSWORD@BROKER/TOPIC",
    "file:PATH?speed=1",
)

# pyserial's socket://HOST:PORT, telnet://, and HOST:PORT without a scheme; a name alone is a file
_NETWORK = re.compile(
    r"(?:socket|telnet)://(?P<host>[^/:?@]+|\[[0-9a-fA-F:]+\])(?P<port>:\d+)?/?(?:\?.*)?"
    r"|(?P<bare>(?:\d{1,3}\.){3}\d{1,3}|[\w-]+(?:\.[\w-]+)*(?=:\d)|\[[0-9a-fA-F:]+\])(?P<number>:\d+)?"
)
_WINDOWS = re.compile(r"(?:\\\\\.\\)?COM\d+:?", re.IGNORECASE)
_DEVICE = re.compile(r"tty[A-Za-z]+\d+|serial\d(?:\?.*)?")


def open_source(
    url: str | Address,
    *,
    memory: PortMemory | None = None,
    named: Collection[str] = (),
    format_problem: FormatProblem = plain_problem,
    on_unrecognised: OnUnrecognised = ignore_unrecognised,
) -> Source:
    """The source of an address, not opened yet. Raises ValueError with a sentence for the user.

    `memory` is what was found on the serial ports before; `named` are the ports of other meters, which `auto` leaves
    alone; `format_problem` makes the sentences of the log; `on_unrecognised` gets what arrives at a serial port before
    a meter is found there.
    """
    address = Address(url)
    text = address.reveal()
    if not text.isprintable():
        raise ValueError(f"{str(address)!r} has characters that no address has. It can be {listed(FORMS, 'or')}.")
    if suggestion := _suggestion(text):
        raise ValueError(f"{address} is not an address of a meter; {suggestion}.")
    match address.scheme:
        case "" if text == "auto":
            return auto_source(
                memory=memory, named=named, format_problem=format_problem, on_unrecognised=on_unrecognised
            )
        case "" if text and _is_a_word(text):
            raise ValueError(
                f"{str(address)!r} is neither a serial port, a URL nor a file; iskra-server ports lists the ports."
            )
        case "" if text:
            return port_source(
                address, memory or PortMemory(), format_problem=format_problem, on_unrecognised=on_unrecognised
            )
        case "tcp" | "rfc2217" | "esphome":
            return network_source(address, memory or PortMemory(), format_problem=format_problem)
        case "http" | "https" | "mqtt" | "mqtts":
            return _service_source(address, format_problem)
        case "file":
            path, speed = _path_and_speed(address)
            return Replay(url=text, path=path, speed=speed, format_problem=format_problem)
    raise ValueError(f"{str(address)!r} is not an address of a meter. It can be {listed(FORMS, 'or')}.")


def _service_source(address: Address, format_problem: FormatProblem) -> Source:
    """A bridge or a broker; imported here because most servers need neither."""
    if address.scheme in ("mqtt", "mqtts"):
        from iskra_server.sources.mqtt_topic import mqtt_source  # noqa: PLC0415

        return mqtt_source(address, format_problem=format_problem)
    from iskra_server.sources.http_poll import http_source  # noqa: PLC0415

    return http_source(address, format_problem=format_problem)


def _suggestion(text: str) -> str:
    """What to write instead of an address of another program, or one without its beginning."""
    if match := _NETWORK.fullmatch(text):
        return f"write tcp://{match['host'] or match['bare']}{match['port'] or match['number'] or ':PORT'}"
    if _WINDOWS.fullmatch(text):
        return f"{text.upper()} is a port of Windows; iskra-server ports lists the ports of this computer"
    if _DEVICE.fullmatch(text) and not os.path.exists(text):
        return f"write /dev/{text}"
    return ""


def _is_a_word(text: str) -> bool:
    """A name without a folder that no file has: neither a port nor a capture."""
    name = text.partition("?")[0]
    return "/" not in name and not os.path.exists(name)


def _path_and_speed(address: Address) -> tuple[Path, float]:
    """Those of `file:PATH?speed=1`. Raises ValueError."""
    path, _, query = address.reveal().partition(":")[2].partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    text = options.pop("speed", "1")
    if options:
        raise ValueError(f"{address} has an unknown option {next(iter(options))}. There is only speed.")
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < float("inf"):
        raise ValueError(f"speed in {address} must be a number, not {text!r}.")
    return Path(path), speed
