"""Whether batteries can reach this server: why a port cannot be opened, whether only a container's network is there.

They ask at fixed ports, often below 1024, and find a meter by broadcasts and multicast DNS.
"""

import errno
import os
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path

from iskra_server.base import installation
from iskra_server.base.processes import Transport, listening_programs
from iskra_server.diagnosis.advice import Advice, Words, advise
from iskra_server.diagnosis.listening_sentences import MISSED

# who asks at this port and cannot be told another one
_DEVICES: dict[tuple[str, int], str] = {
    ("tcp", 80): "Hoymiles, Growatt, EcoFlow, Jackery",
    ("udp", 1010): "Marstek Venus, Marstek Jupiter, Marstek B2500, Solakon One",
    ("udp", 2220): "Marstek B2500",
}
_EVERYBODY = "255.255.255.255"
_NETWORK = Path("/sys/class/net")
# linux/if.h
_IFF_UP = 1


def cannot_listen(port: int, transport: Transport, error: OSError, *, host: str = "") -> Advice:
    """A sentence or two: why, who is missed, what to do. For logs and an OutputState."""
    details = {"port": str(port), "transport": transport.upper(), "address": host}
    # asyncio puts a sentence of its own into strerror; unknown host names have a negative number
    number = error.errno or 0
    details["reason"] = os.strerror(number) if number > 0 else error.strerror or str(error)
    advice = advise(*_problem(port, transport, error, details))
    devices = _DEVICES.get((transport, port))
    if not devices:
        return advice
    en, de = (_joined(*pair, devices) for pair in zip((advice.en, advice.de), MISSED, strict=True))
    return Advice(advice.fault, en, de)


def _joined(words: Words, missed: str, devices: str) -> Words:
    return Words(f"{words.sentence} {missed.format(devices=devices)}", words.next_step)


def _problem(port: int, transport: Transport, error: OSError, details: dict[str, str]) -> tuple[str, dict[str, str]]:
    if error.errno == errno.EADDRINUSE:
        programs = listening_programs(port, transport)
        if any(program.endswith(f"(pid {os.getpid()})") for program in programs):
            return "listening_twice", details
        if programs:
            return "listening_busy", details | {"program": ", ".join(programs)}
        in_app = "_in_app" if installation.in_app() else ""
        return f"listening_busy_unknown{in_app}", details
    if isinstance(error, PermissionError):
        return f"listening_privilege{_where()}", details
    if error.errno == errno.EADDRNOTAVAIL and details["address"]:
        return "listening_no_address", details
    return "listening_failed", details


def _where() -> str:
    if installation.in_app():
        return "_in_app"
    if installation.in_container():
        return "_in_container"
    return "_in_service" if installation.is_service() else ""


def broadcast_addresses(host: str) -> tuple[str, ...]:
    """Where datagrams for all arrive that a socket bound to `host`, one address of this machine, does not get.

    One that is bound to "0.0.0.0" gets them itself.
    """
    from ifaddr import get_adapters  # noqa: PLC0415

    networks = (
        ip_network(f"{ip.ip}/{ip.network_prefix}", strict=False)
        for adapter in get_adapters()
        for ip in adapter.ips
        if ip.ip == host and not ip_address(host).is_loopback
    )
    return tuple(str(address) for network in networks for address in (network.broadcast_address, _EVERYBODY))


def bridge_warning() -> Advice | None:
    """Where batteries cannot find this server because it is only in a network of containers."""
    if not is_in_container_network():
        return None
    return advise("bridge_only_in_app" if installation.in_app() else "bridge_only")


def is_in_container_network(network: Path = _NETWORK, marks: Iterable[str] = installation.CONTAINER_MARKS) -> bool:
    """Whether Docker or Podman started this, and every interface but loopback is a cable to a bridge of theirs.

    Such a cable (veth) ends in another network namespace, so that its two ends have different numbers. An interface of
    another kind, such as macvlan, leads to the network of the home.
    """
    if not any(map(os.path.exists, marks)):
        return False
    try:
        interfaces = [path for path in network.iterdir() if path.name != "lo" and _is_up(path)]
        return bool(interfaces) and all(map(_is_cable, interfaces))
    except OSError:
        return False


def _is_up(interface: Path) -> bool:
    # new networks also get tunnels such as sit0, which stay down
    return bool(int((interface / "flags").read_text(), 16) & _IFF_UP)


def _is_cable(interface: Path) -> bool:
    number, other_end = ((interface / name).read_text().strip() for name in ("ifindex", "iflink"))
    return number != other_end and "DEVTYPE=" not in (interface / "uevent").read_text()
