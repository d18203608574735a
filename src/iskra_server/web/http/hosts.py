"""Which names this server answers to, so that no page from elsewhere can make its own name point here (DNS rebinding).

    192.168.1.20  [fe80::1]        an address: whoever typed it meant this machine
    localhost  raspberrypi  iskra  names without a dot: they exist in one house or one container network only
    *.local  *.fritz.box  ...      names that only the own network gives
    what is configured             a name, *.example.org for all names below it, * for any

A page of an attacker has a name of the public DNS, and the browser sends that name. Nothing else is refused.
"""

import socket
from collections.abc import Iterable
from ipaddress import ip_address

# RFC 6762, 6761, 8375, ICANN's reservation of .internal, what routers for homes give, and container networks
OWN_NETWORK = (
    *("local", "localhost", "home.arpa", "internal", "lan", "home", "localdomain", "intranet"),
    *("fritz.box", "speedport.ip", "docker"),
)
ANY = "*"


class Hosts:
    """`allows(host)` takes what stands in a Host header."""

    def __init__(self, configured: Iterable[str] = (), *, machine: str | None = None) -> None:
        names = [name.strip().rstrip(".").lower() for name in configured]
        machine = socket.gethostname() if machine is None else machine
        self._any = ANY in names
        self._names = {name for name in names if name and not name.startswith("*")} | {machine.lower()}
        suffixes = (*OWN_NETWORK, *(name.removeprefix("*.") for name in names if name.startswith("*.")))
        self._suffixes = tuple(f".{suffix}" for suffix in suffixes)

    def allows(self, host: str) -> bool:
        name = name_of(host)
        return (
            self._any
            or "." not in name
            or name in self._names
            or name.endswith(self._suffixes)
            or _is_address(name.strip("[]"))
        )


def name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    end = host.rfind(":")
    return (host[:end] if end > host.rfind("]") else host).rstrip(".").lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
