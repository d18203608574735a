"""A serial port, by its address (`/dev/ttyUSB0?protocol=d0`)."""

from functools import partial
from urllib.parse import parse_qsl

from msgspec.structs import replace

from iskra_server.base.address import Address
from iskra_server.sources.asking import PluggedPort
from iskra_server.sources.polled import START_BAUD, d0_source
from iskra_server.sources.port_memory import PortMemory, learned, polled
from iskra_server.sources.ports import stable_name
from iskra_server.sources.reconnect import Line, Reconnecting, Report
from iskra_server.sources.search import ROUND, SearchedPort, Window, find_meter
from iskra_server.sources.serial import device_state, open_serial
from iskra_server.sources.source import (
    FormatProblem,
    LineSettings,
    OnUnrecognised,
    ignore_unrecognised,
    plain_problem,
)
from iskra_server.sources.source_options import SourceOptions, parse_options


def port_source(
    address: Address,
    memory: PortMemory,
    *,
    windows: tuple[Window, ...] = ROUND,
    format_problem: FormatProblem = plain_problem,
    on_unrecognised: OnUnrecognised = ignore_unrecognised,
) -> Reconnecting:
    """A serial port. Raises ValueError with a sentence for wrong options.

    Its line settings are found, unless the address has them; a meter of `?protocol=d0` is asked at once.
    """
    path, _, query = address.reveal().partition("?")
    options = parse_options(address, parse_qsl(query, keep_blank_values=True))
    searched = SearchedPort(PluggedPort(path), memory, options, windows, on_unrecognised=on_unrecognised)
    if options.protocol == "d0" and not options.listen_only:
        source = d0_source(
            address.reveal(),
            path,
            address=options.address,
            baud=options.settings.baud if options.settings else START_BAUD,
            interval_s=options.poll_s,
            learned=lambda: learned(memory.recall(_name(path, options))),
            on_learned=lambda new: memory.remember(_name(path, options), polled(new)),
            format_problem=format_problem,
        )
    else:
        source = Reconnecting(
            url=address.reveal(),
            port=path,
            connect=partial(_open_fixed, path, options) if options.settings else partial(find_meter, searched),
            plugged=partial(device_state, path),
            format_problem=format_problem,
        )
    # the reader decodes this protocol alone
    source.state = replace(source.state, protocol=options.protocol)
    return source


async def _open_fixed(path: str, options: SourceOptions, _: Report) -> Line:
    """A line with the settings of its address. Text of seven bits is read as 8N1: the codecs check its parity."""
    settings = options.settings or LineSettings()
    line = await open_serial(path, settings.baud)
    line.protocol = options.protocol
    if settings.format == "8E1":
        line.configure(settings)
    return line


def _name(path: str, options: SourceOptions) -> str:
    """Each of several meters on a line has settings of its own."""
    return f"{stable_name(path)}?address={options.address}" if options.address else stable_name(path)
