"""The options of an address: what the user knows of the line and the meter behind it.

?protocol=d0        sml, p1, d0 or dlms: listen only where it is spoken; d0 is asked at once
?baud=300           speed of the line, in baud; with this or a format, no others are tried
?format=8E1         8N1, 7E1 or 8E1: data bits, parity, stop bits
?listen_only=1      never send anything
?address=12345678   of one of several meters on an RS-485 line
?poll_s=60          seconds between two requests to a meter that waits for them
"""

import re
import termios
from collections.abc import Iterable, Sequence

from msgspec import Struct

from iskra_server.base.address import Address
from iskra_server.codecs.decoder import DECODERS
from iskra_server.sources.source import LineSettings

FORMATS = ("8N1", "7E1", "8E1")
# what a meter and the port of a meter have; a connection has a meter behind it, perhaps with a line of its own
METER = ("protocol", "listen_only", "address", "poll_s")
SERIAL = ("baud", "format", *METER)
# the address of a request has at most 32 letters, digits and blanks (IEC 62056-21, 6.3.1)
_ADDRESS = re.compile(r"[A-Za-z0-9 ]{1,32}")
_MIN_POLL_S, _MAX_POLL_S = 1.0, 86_400.0
# what the configuration says of a meter, beside its address
_KEYS = frozenset(("key", "auth_key", "layouts", "factor", "name"))
_USUAL_SPEEDS = "300, 2400, 9600, 38400 or 115200"


class SourceOptions(Struct, frozen=True):
    """`settings` are None where they are to be found; `poll_s` is None for an interval by the length of the list."""

    protocol: str = ""
    settings: LineSettings | None = None
    listen_only: bool = False
    address: str = ""
    poll_s: float | None = None


def parse_options(
    address: Address, options: Sequence[tuple[str, str]], names: tuple[str, ...] = SERIAL
) -> SourceOptions:
    """The options behind the "?" of an address, as names and values; raises ValueError with a sentence."""
    for name, _ in options:
        if name not in names:
            if name in _KEYS:
                raise ValueError(f"{name} in {address} is no option of an address; set it as meters.{name}.")
            raise ValueError(f"{address} has an unknown option {name}. There are {listed(names)}.")
        if [other for other, _ in options].count(name) > 1:
            raise ValueError(f"{address} has the option {name} twice.")
    values = dict(options)
    poll_s = values.get("poll_s")
    has_line = "baud" in values or "format" in values
    return SourceOptions(
        protocol=_one_of(address, "protocol", _lower(values.get("protocol")), tuple(DECODERS)),
        settings=LineSettings(_baud(address, values.get("baud")), _format(address, values)) if has_line else None,
        listen_only=_one_of(address, "listen_only", values.get("listen_only"), ("0", "1")) == "1",
        address=_meter_address(address, values.get("address")),
        poll_s=None if poll_s is None else seconds_between_polls(address, poll_s, _MIN_POLL_S, _MAX_POLL_S),
    )


def _one_of(address: Address, name: str, value: str | None, values: tuple[str, ...]) -> str:
    if value is None or value in values:
        return value or ""
    raise ValueError(f"{name} in {address} must be {listed(values, 'or')}, not {value!r}.")


def _lower(text: str | None) -> str | None:
    """D0, as meters and manuals write it, for d0."""
    return text and text.lower()


def _format(address: Address, values: dict[str, str]) -> str:
    text = values.get("format")
    return _one_of(address, "format", text and text.upper(), FORMATS) or FORMATS[0]


def _baud(address: Address, text: str | None) -> int:
    if text is None:
        return LineSettings().baud
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ValueError(f"baud in {address} must be a whole number, for example ?baud=9600, not {text!r}.")
    if not hasattr(termios, f"B{int(text)}"):
        raise ValueError(f"This system has no speed of {int(text)} baud; meters use {_USUAL_SPEEDS}: see {address}.")
    return int(text)


def _meter_address(address: Address, text: str | None) -> str:
    if text is None or _ADDRESS.fullmatch(text):
        return text or ""
    raise ValueError(f"address in {address} must be 1 to 32 letters, digits or blanks.")


def seconds_between_polls(address: Address, text: str, shortest_s: float, longest_s: float) -> float:
    """The value of `?poll_s=`; raises ValueError with a sentence."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not shortest_s <= seconds <= longest_s:
        limits = f"from {shortest_s:g} to {longest_s:g}"
        raise ValueError(f"poll_s in {address} must be a number of seconds {limits}, not {text!r}.")
    return seconds


def listed(names: Iterable[str], word: str = "and") -> str:
    """In a sentence: "8N1, 7E1 and 8E1"."""
    *first, last = names
    return f"{', '.join(first)} {word} {last}"
