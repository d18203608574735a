"""Host names that clients may use; stops DNS rebinding, where another site's name resolves to this server.

    192.168.1.20  [fe80::1]        IP addresses
    localhost  raspberrypi  iskra  names without a dot: they exist in one local or container network only
    *.local  *.fritz.box  ...      suffixes that only local networks use
    server.allowed_hosts           a name, *.example.org for all names below it, * for any name

An attacker's page has a name in the public DNS, and the browser sends that name in the Host header.
"""

import socket
from collections.abc import Iterable

from iskra_server.base.address import is_ip_address

# RFC 6762, 6761 and 8375, .internal (reserved by ICANN), suffixes of home routers and of container networks
LOCAL_SUFFIXES = (
    *("local", "localhost", "home.arpa", "internal", "lan", "home", "localdomain", "intranet"),
    *("fritz.box", "speedport.ip", "docker"),
)
ANY = "*"


class Hosts:
    """The allowed host names: local ones, `configured` ones and the name of this machine."""

    def __init__(self, configured: Iterable[str] = (), *, machine: str | None = None) -> None:
        names = [name.strip().rstrip(".").lower() for name in configured]
        machine = socket.gethostname() if machine is None else machine
        self._any = ANY in names
        self._names = {name for name in names if name and not name.startswith("*")} | {machine.lower()}
        suffixes = (*LOCAL_SUFFIXES, *(name.removeprefix("*.") for name in names if name.startswith("*.")))
        self._suffixes = tuple(f".{suffix}" for suffix in suffixes)

    def allows(self, host: str) -> bool:
        """Whether `host` may be the value of a Host header."""
        name = host_name(host)
        return (
            self._any
            or "." not in name
            or name in self._names
            or name.endswith(self._suffixes)
            or is_ip_address(name.strip("[]"))
        )


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    end = host.rfind(":")
    return (host[:end] if end > host.rfind("]") else host).rstrip(".").lower()
