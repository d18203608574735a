"""Fair shares among clients: of database threads, live streams and connections.

client            an IP address, for IPv6 its /64 network, because one host owns all addresses in it; a token for some
                  groups is one client at any address. Headers such as X-Forwarded-For are not trusted: behind a
                  reverse proxy all clients count as one
history requests  MAX_RUNNING run at once, half of them for one client, so that others never wait for all of its
                  requests; MAX_WAITING of each client wait, and clients take turns
disconnected      the request of a client that has closed its connection is never run
full              the client with the largest share makes room for one with a smaller share
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TypeVar

from starlette.types import Receive, Scope

from iskra_server.web.http.gate import GROUPS

MAX_RUNNING = 4
MAX_RUNNING_PER_CLIENT = MAX_RUNNING // 2
# a page sends a dozen requests at once, and behind a reverse proxy all browsers are one client
MAX_WAITING = 128

Client = Hashable
T = TypeVar("T")


class TooManyRequests(Exception):
    """A clause: this client has too many requests waiting or running."""


class Disconnected(Exception):
    """The client has closed its connection, or the server stops."""


def client_of(scope: Scope) -> Client:
    """The client that sent a request."""
    groups: Client | None = scope.get(GROUPS)
    return groups or address_of((scope.get("client") or ("",))[0])


@lru_cache(maxsize=256)
def address_of(host: str) -> str:
    """A client's address, for IPv6 its network; every link-local address is a host of its own."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        if not (address.is_link_local or address.is_loopback):
            return str(ip_network((address, 64), strict=False))
    return str(address)


def heaviest(holders: Iterable[Client], newcomer: Client) -> Client | None:
    """The client with the most entries; None if `newcomer` would have as many after adding its own."""
    counts = Counter(holders)
    client, count = max(counts.items(), key=lambda item: item[1], default=(None, 0))
    return client if count > counts[newcomer] + 1 else None


async def disconnected(receive: Receive) -> None:
    """Returns when the client closes its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Threads:
    """A thread pool whose threads are shared fairly among clients. For one event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MAX_RUNNING, "history")
        self._running: Counter[Client] = Counter()
        # in the order of their turns
        self._waiting: dict[Client, deque[asyncio.Future[None]]] = {}

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, client: Client, receive: Receive | None, work: Callable[[], T]) -> T:
        """The result of `work` in a thread. Raises TooManyRequests, Disconnected, and what `work` raises.

        `receive` is None for the next part of a response that has begun: then its sender notices a disconnect.
        """
        await self._wait_for_turn(client, receive)
        loop = asyncio.get_running_loop()
        try:
            done = self._pool.submit(work)
        except RuntimeError:
            # the server stops
            self._release(client)
            raise Disconnected from None

        def release(_: "Future[T]") -> None:
            # the loop may have ended before this thread
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._release, client)

        done.add_done_callback(release)
        return await asyncio.wrap_future(done)

    async def _wait_for_turn(self, client: Client, receive: Receive | None) -> None:
        if self._may_run(client):
            self._running[client] += 1
            return
        waiting = self._waiting.setdefault(client, deque())
        if receive and len(waiting) >= MAX_WAITING:
            raise TooManyRequests(
                f"this client has {MAX_WAITING} requests to history waiting; try again when they are answered"
            )
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        disconnect = asyncio.ensure_future(disconnected(receive)) if receive else None
        try:
            await asyncio.wait((turn, disconnect) if disconnect else (turn,), return_when=asyncio.FIRST_COMPLETED)
            if disconnect and disconnect.done():
                raise Disconnected
        except BaseException:
            if turn.done():
                self._release(client)
            else:
                self._remove_turn(client, turn)
            raise
        finally:
            if disconnect:
                disconnect.cancel()

    def _may_run(self, client: Client) -> bool:
        return self._running.total() < MAX_RUNNING and self._running[client] < MAX_RUNNING_PER_CLIENT

    def _remove_turn(self, client: Client, turn: "asyncio.Future[None]") -> None:
        self._waiting[client].remove(turn)
        if not self._waiting[client]:
            del self._waiting[client]

    def _release(self, client: Client) -> None:
        """Gives a free thread to the next waiting client, which then goes to the end of the line."""
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
        while following := next(filter(self._may_run, self._waiting), None):
            turns = self._waiting.pop(following)
            turns.popleft().set_result(None)
            self._running[following] += 1
            if turns:
                self._waiting[following] = turns
