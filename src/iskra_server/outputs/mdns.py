"""What this server announces of itself in the local network: _http._tcp and _iskra-server._tcp, and its meters."""

import socket
from collections.abc import Callable, Iterable, Mapping

from iskra_server.base.announcement import AnnouncedService, Services

TYPES = ("_http._tcp", "_iskra-server._tcp")
# a DNS label has at most 63 bytes, a pair of a TXT record 255
_HOST_CHARACTERS = 40
_ID_CHARACTERS = 8
_METERS_CHARACTERS = 240


def server_services(*, port: int, properties: Mapping[str, str], meters: Callable[[], Iterable[str]]) -> Services:
    """For an `Announcement`.

    `properties` of the TXT record: "version" of the server; "id", the same at any address (runtime/server_id.py), ""
    without one; "token" and "tls": "1" where clients need a token or HTTPS, else "0".
    `meters`: ids of the electricity meters read so far.
    """

    def services(_addresses: tuple[str, ...]) -> tuple[AnnouncedService, ...]:
        host = socket.gethostname().partition(".")[0][:_HOST_CHARACTERS]
        text = {"path": "/", **properties, "meters": _listed(meters())}
        # many machines have the same name: the addresses of two servers must not answer for one another
        number = properties.get("id", "")[:_ID_CHARACTERS] or port
        name, server = f"ISKRA on {host} {port}", f"iskra-server-{host}-{number}"
        return tuple(AnnouncedService(type_, name, port, text, server) for type_ in TYPES)

    return services


def _listed(meters: Iterable[str]) -> str:
    """As many as fit."""
    text = ""
    for meter in meters:
        longer = f"{text},{meter}" if text else meter
        if len(longer) > _METERS_CHARACTERS:
            break
        text = longer
    return text
