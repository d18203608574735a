"""Announces services in the local network by multicast DNS.

A failure, such as a network without multicast, is logged once. New addresses and services are announced within
LOOK_EVERY_S.
"""

import asyncio
import logging
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

LOOK_EVERY_S = 10.0
# for the goodbye when the server stops
GOODBYE_S = 1.0
# for documentation (RFC 5737): outside of every home, and nothing is sent there
_OUTSIDE = ("192.0.2.1", 9)
# of Docker, Home Assistant's Supervisor, Podman, LXC, Incus, Kubernetes and libvirt: lead to this machine alone
_CONTAINER_BRIDGE = re.compile(
    r"docker\d+|br-[0-9a-f]{12}|hassio|podman\d+|(lxc|lxd|incus)br\d+|cni\d+|virbr\d+|veth.+"
)

log = logging.getLogger(__name__)


class AnnouncedService(NamedTuple):
    """`type` such as "_http._tcp"; `name` of the instance; `server`: host name without ".local"."""

    type: str
    name: str
    port: int
    properties: Mapping[str, str]
    server: str


# given the addresses that are announced, the services of the moment
Services = Callable[[tuple[str, ...]], Iterable[AnnouncedService]]


class Announcement:
    """`run` announces until it is cancelled, then withdraws.

    It announces the address that `host` is, or all addresses of this machine where it is "0.0.0.0" or "::".
    `one_address`: of all addresses, only that towards the internet, for devices that try only one.
    """

    def __init__(
        self, *, host: str, services: Services, one_address: bool = False, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._host = host
        self._services = services
        self._one_address = one_address
        self._look_every_s = look_every_s
        self._zeroconf: AsyncZeroconf | None = None
        self._addresses: tuple[str, ...] = ()
        # (type, name) -> as announced, and its registered name, which differs where another machine has the name
        self._announced: dict[tuple[str, str], tuple[AnnouncedService, str]] = {}
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
        addresses = addresses_of(self._host)[: 1 if self._one_address else None]
        if addresses != self._addresses:
            await self._close()
            self._addresses = addresses
        wanted = {(service.type, service.name): service for service in self._services(addresses)} if addresses else {}
        zeroconf = self._zeroconf
        if zeroconf is None:
            if not wanted:
                return
            zeroconf = self._zeroconf = _opened(addresses)
        for key in self._announced.keys() - wanted.keys():
            service, name = self._announced.pop(key)
            await (await zeroconf.async_unregister_service(self._info(service, name)))
        for key, service in wanted.items():
            await self._announce(zeroconf, key, service)

    async def _announce(self, zeroconf: "AsyncZeroconf", key: tuple[str, str], service: AnnouncedService) -> None:
        before, name = self._announced.get(key, (None, service.name))
        if service == before:
            return
        info = self._info(service, name)
        if before:
            await (await zeroconf.async_update_service(info))
        else:
            await (await zeroconf.async_register_service(info, allow_name_change=True))
        self._announced[key] = service, info.name.removesuffix(f".{info.type}")

    def _info(self, service: AnnouncedService, name: str) -> "AsyncServiceInfo":
        from zeroconf.asyncio import AsyncServiceInfo  # noqa: PLC0415

        return AsyncServiceInfo(
            f"{service.type}.local.",
            f"{name}.{service.type}.local.",
            port=service.port,
            parsed_addresses=list(self._addresses),
            properties=dict(service.properties),
            server=f"{service.server}.local.",
        )

    async def _close(self) -> None:
        zeroconf, self._zeroconf, self._addresses = self._zeroconf, None, ()
        self._announced.clear()
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


def _opened(addresses: Iterable[str]) -> "AsyncZeroconf":
    from zeroconf import IPVersion  # noqa: PLC0415
    from zeroconf.asyncio import AsyncZeroconf  # noqa: PLC0415

    return AsyncZeroconf(interfaces=list(addresses), ip_version=IPVersion.V4Only)


def addresses_of(host: str, *, one_per_interface: bool = False) -> tuple[str, ...]:
    """The IPv4 addresses at which other machines reach a server listening on `host`: one, or all of this machine.

    The first one is that towards the internet, where this machine has a default route. Those of container bridges lead
    nowhere else and are left out. `one_per_interface`: of several addresses of an interface, one.
    """
    with suppress(ValueError):
        if not (address := IPv4Address(host)).is_unspecified:
            return (str(address),)
    if host not in ("0.0.0.0", "::"):
        return ()
    from ifaddr import get_adapters  # noqa: PLC0415

    outward = outward_address()
    interfaces = (
        [ip.ip for ip in adapter.ips if isinstance(ip.ip, str) and not IPv4Address(ip.ip).is_loopback]
        for adapter in get_adapters()
        if not _CONTAINER_BRIDGE.fullmatch(adapter.name)
    )
    addresses: set[str] = set()
    for interface in interfaces:
        # the first one is the address that the interface had first
        ordered = sorted(interface, key=lambda address: address != outward)
        addresses.update(ordered[:1] if one_per_interface else ordered)
    return tuple(sorted(addresses, key=lambda address: (address != outward, address)))


def outward_address() -> str:
    """The address of this machine that the default route leads from; "" without one."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_OUTSIDE)
        address: str = probe.getsockname()[0]
        return address
    return ""
