"""Announces this server in the local network by multicast DNS: _http._tcp and _iskra-server._tcp.

It announces the address that it listens on, or all addresses of this machine. A failure, such as a network without
multicast, is logged once. New addresses and meters are announced within LOOK_EVERY_S.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

SERVICES = ("_http._tcp.local.", "_iskra-server._tcp.local.")
LOOK_EVERY_S = 10.0
# for the goodbye when the server stops
GOODBYE_S = 1.0
# a DNS label has at most 63 bytes, a pair of a TXT record 255
_HOST_CHARACTERS = 40
_ID_CHARACTERS = 8
_METERS_CHARACTERS = 240

log = logging.getLogger(__name__)


class Announced(NamedTuple):
    """The part of the announcement that may change."""

    addresses: tuple[str, ...]
    meters: str


class Announcement:
    """`run` announces until it is cancelled, then withdraws.

    `properties` of the TXT record: "version" of the server; "id", the same at any address (runtime/server_id.py), ""
    without one; "token" and "tls": "1" where clients need a token or HTTPS, else "0".
    `meters`: ids of the electricity meters read so far.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        properties: Mapping[str, str],
        meters: Callable[[], Iterable[str]],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._host = host
        self._port = port
        self._properties = properties
        self._meters = meters
        self._look_every_s = look_every_s
        self._zeroconf: AsyncZeroconf | None = None
        self._announced = Announced((), "")
        # service type -> registered name, which differs where another machine already has the name
        self._names: dict[str, str] = {}
        self._has_logged = False

    async def run(self) -> None:
        # 4 MB: takes a small computer a second to load
        await asyncio.to_thread(import_module, "zeroconf.asyncio")
        try:
            while True:
                try:
                    await self._update()
                except Exception as error:
                    self._log_once(error)
                    await self._close()
                await asyncio.sleep(self._look_every_s)
        finally:
            await self._close()

    async def _update(self) -> None:
        """Announce what has changed."""
        now = Announced(addresses_of(self._host), _listed(self._meters()))
        if now.addresses != self._announced.addresses:
            await self._close()
        if not now.addresses or now == self._announced:
            return
        if self._zeroconf is None:
            await self._open(now)
        else:
            for service in self._services(now):
                await self._zeroconf.async_update_service(service)
        self._announced = now

    async def _open(self, now: Announced) -> None:
        from zeroconf import IPVersion  # noqa: PLC0415
        from zeroconf.asyncio import AsyncZeroconf  # noqa: PLC0415

        self._zeroconf = AsyncZeroconf(interfaces=list(now.addresses), ip_version=IPVersion.V4Only)
        for service in self._services(now):
            await (await self._zeroconf.async_register_service(service, allow_name_change=True))
            self._names[service.type] = service.name

    def _services(self, now: Announced) -> "list[AsyncServiceInfo]":
        from zeroconf.asyncio import AsyncServiceInfo  # noqa: PLC0415

        host = socket.gethostname().partition(".")[0][:_HOST_CHARACTERS]
        name = f"ISKRA on {host} {self._port}"
        text = {"path": "/", **self._properties, "meters": now.meters}
        # many machines have the same name: the addresses of two servers must not answer for one another
        number = self._properties.get("id", "")[:_ID_CHARACTERS] or self._port
        return [
            AsyncServiceInfo(
                service,
                self._names.get(service, f"{name}.{service}"),
                port=self._port,
                parsed_addresses=list(now.addresses),
                properties=text,
                server=f"iskra-server-{host}-{number}.local.",
            )
            for service in SERVICES
        ]

    async def _close(self) -> None:
        zeroconf, self._zeroconf, self._announced = self._zeroconf, None, Announced((), "")
        self._names.clear()
        if zeroconf:
            # a socket that fails now needs no handling
            with suppress(Exception):
                async with asyncio.timeout(GOODBYE_S):
                    await zeroconf.async_close()

    def _log_once(self, error: Exception) -> None:
        if not self._has_logged:
            reason = str(error) or type(error).__name__
            log.info("This server cannot be announced in the local network (%s); clients need its address.", reason)
        self._has_logged = True


def addresses_of(host: str) -> tuple[str, ...]:
    """The IPv4 addresses that reach a server listening on `host`: one, or all but loopback."""
    with suppress(ValueError):
        if not (address := IPv4Address(host)).is_unspecified:
            return (str(address),)
    if host not in ("0.0.0.0", "::"):
        return ()
    from ifaddr import get_adapters  # noqa: PLC0415

    addresses = (ip.ip for adapter in get_adapters() for ip in adapter.ips if isinstance(ip.ip, str))
    return tuple(sorted(ip for ip in addresses if not IPv4Address(ip).is_loopback))


def _listed(meters: Iterable[str]) -> str:
    """As many as fit."""
    text = ""
    for meter in meters:
        longer = f"{text},{meter}" if text else meter
        if len(longer) > _METERS_CHARACTERS:
            break
        text = longer
    return text
