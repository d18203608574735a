"""Fair shares among clients: of the threads that ask the database, of live streams, of connections.

a client        its address; of IPv6 the /64 network, as one host has all addresses in it; a token for some groups
                is one client wherever it comes from. Headers such as X-Forwarded-For are not trusted: behind a
                reverse proxy all clients count as one
questions       AT_ONCE run, of one client half of them, so that another one never waits for all of it;
                MAX_WAITING of a client wait, and clients take turns
hung up         a question whose client is gone is never asked
something full  the client that holds most of it makes room for one that holds less
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

AT_ONCE = 4
AT_ONCE_EACH = AT_ONCE // 2
# a page asks for a dozen at once, and behind a reverse proxy all browsers are one client
MAX_WAITING = 128

Client = Hashable
T = TypeVar("T")


class TooMany(Exception):
    """A sentence: this client has asked for too much at once."""


class Gone(Exception):
    """The client has hung up; there is nobody to answer."""


def client_of(scope: Scope) -> Client:
    """Whose share a request counts towards."""
    groups: Client | None = scope.get(GROUPS)
    return groups or address_of((scope.get("client") or ("",))[0])


@lru_cache(maxsize=256)
def address_of(host: str) -> str:
    """The address of a client, of IPv6 its network; link-local addresses are one host each."""
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
    """The client that holds most; None where the newcomer would then hold as much."""
    held = Counter(holders)
    client, count = max(held.items(), key=lambda item: item[1], default=(None, 0))
    return client if count > held[newcomer] + 1 else None


async def disconnected(receive: Receive) -> None:
    """Until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Threads:
    """Threads in which questions are answered, and the turns of the clients that wait for one. For one event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "history")
        self._running: Counter[Client] = Counter()
        # whose turn is next comes first
        self._waiting: dict[Client, deque[asyncio.Future[None]]] = {}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, client: Client, receive: Receive | None, work: Callable[[], T]) -> T:
        """What `work` gives, done in a thread. Raises TooMany, Gone, and what `work` raises.

        `receive` is None for the next part of an answer that has begun: whoever sends that sees its client hang up.
        """
        await self._turn(client, receive)
        loop = asyncio.get_running_loop()
        try:
            done = self._threads.submit(work)
        except RuntimeError:
            # the server stops
            self._end(client)
            raise Gone from None

        def free(_: "Future[T]") -> None:
            # the loop may have ended before this thread
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._end, client)

        done.add_done_callback(free)
        return await asyncio.wrap_future(done)

    async def _turn(self, client: Client, receive: Receive | None) -> None:
        if self._may_run(client):
            self._running[client] += 1
            return
        waiting = self._waiting.setdefault(client, deque())
        if receive and len(waiting) >= MAX_WAITING:
            raise TooMany(
                f"this client has {MAX_WAITING} questions to history waiting; ask again when they are answered"
            )
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        gone = asyncio.ensure_future(disconnected(receive)) if receive else None
        try:
            await asyncio.wait((turn, gone) if gone else (turn,), return_when=asyncio.FIRST_COMPLETED)
            if gone and gone.done():
                raise Gone
        except BaseException:
            if turn.done():
                self._end(client)
            else:
                self._leave(client, turn)
            raise
        finally:
            if gone:
                gone.cancel()

    def _may_run(self, client: Client) -> bool:
        return self._running.total() < AT_ONCE and self._running[client] < AT_ONCE_EACH

    def _leave(self, client: Client, turn: "asyncio.Future[None]") -> None:
        self._waiting[client].remove(turn)
        if not self._waiting[client]:
            del self._waiting[client]

    def _end(self, client: Client) -> None:
        """A thread is free: the next client that waits takes it, and then stands at the end of the line."""
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
        while following := next(filter(self._may_run, self._waiting), None):
            turns = self._waiting.pop(following)
            turns.popleft().set_result(None)
            self._running[following] += 1
            if turns:
                self._waiting[following] = turns
