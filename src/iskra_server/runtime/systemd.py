"""Notifies systemd of the state of the service (sd_notify): one datagram to the socket $NOTIFY_SOCKET."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"
_WATCHDOG = "WATCHDOG=1"


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Does nothing without a service manager."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            # @ starts the name of an abstract socket (sd_notify(3))
            channel.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
        except OSError:
            # the service manager is gone: this service runs on
            return


async def feed_watchdog(is_well: Callable[[], bool], environ: Mapping[str, str] = os.environ) -> None:
    """Notify the watchdog twice in each interval while `is_well`; returns at once without a watchdog.

    So systemd restarts a server whose event loop hangs, or whose diagnosis finds neither readings nor a reason.
    """
    interval_s = int(environ.get("WATCHDOG_USEC", "0")) / 2_000_000
    while interval_s:
        if is_well():
            notify(_WATCHDOG, environ)
        await asyncio.sleep(interval_s)
