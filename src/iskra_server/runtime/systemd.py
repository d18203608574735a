"""Tells systemd how the service stands (sd_notify): one datagram to the socket that $NOTIFY_SOCKET names."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"
_WATCHDOG = "WATCHDOG=1"


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send a state; does nothing where no service manager listens."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            # an abstract socket (sd_notify(3)) begins with @; in a path it is a letter like others
            channel.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
        except OSError:
            # a service manager that went away is not this service's trouble
            return


async def feed_watchdog(is_well: Callable[[], bool], environ: Mapping[str, str] = os.environ) -> None:
    """Say twice in each watchdog interval that all is well, as long as it is; returns at once without a watchdog.

    What is not said: that the event loop hangs, that the diagnosis fails, that it finds neither readings nor a reason.
    """
    interval_s = int(environ.get("WATCHDOG_USEC", "0")) / 2_000_000
    while interval_s:
        if is_well():
            notify(_WATCHDOG, environ)
        await asyncio.sleep(interval_s)
