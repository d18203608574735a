"""A port over the network, by its address (`rfc2217://HOST:PORT?protocol=d0`)."""

from urllib.parse import parse_qsl, urlencode

from msgspec.structs import replace

from iskra_server.base.address import Address
from iskra_server.sources.polled import START_BAUD, d0_bridge_source
from iskra_server.sources.port_memory import PortMemory, learned, polled
from iskra_server.sources.reconnect import Reconnecting
from iskra_server.sources.source import FormatProblem, LineSettings, plain_problem
from iskra_server.sources.source_options import parse_options
from iskra_server.sources.tcp import bridge_source, tcp_source

# the format is that of the far end
_OPTIONS = ("protocol", "baud", "listen_only", "poll_s")


def network_source(
    address: Address, memory: PortMemory, *, format_problem: FormatProblem = plain_problem
) -> Reconnecting:
    """`tcp://`, `rfc2217://` or `esphome://`. Raises ValueError with a sentence.

    Our options do not reach the far end. Its line is asked only with `?protocol=d0`.
    """
    path, _, query = address.rest.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    own = [pair for pair in pairs if address.scheme == "tcp" or pair[0] in _OPTIONS]
    options = parse_options(address, own, _OPTIONS)
    far = address
    if own:
        rest = urlencode([pair for pair in pairs if pair not in own])
        far = Address(address.reveal().removesuffix(address.rest) + path + ("?" if rest else "") + rest)
    key = str(far)
    if options.protocol == "d0" and not options.listen_only:
        source = d0_bridge_source(
            far,
            interval_s=options.poll_s,
            learned=lambda: learned(memory.recall(key)),
            on_learned=lambda new: memory.remember(key, polled(new)),
            baud=options.settings.baud if options.settings else START_BAUD,
            format_problem=format_problem,
        )
    else:
        make = tcp_source if address.scheme == "tcp" else bridge_source
        source = make(far, format_problem=format_problem, baud=(options.settings or LineSettings()).baud)
    source.url = str(address)
    # the reader decodes this protocol alone
    source.state = replace(source.state, protocol=options.protocol)
    return source
