"""The HTTP API of the server, over the web session of Home Assistant."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar

import aiohttp
from yarl import URL

from .model import UNREADABLE, Meter, Server, Snapshot, decode, meters_from, server_from
from .sse import Event, EventParser

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)
# the server sends a heartbeat every 15 s: after two that are missing the connection is dead
_STREAM_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=35)
_NOT_A_SERVER: Final = "not_this_server"
# a name, or an IPv6 address; yarl checks later, or not at all in older releases
_HOST: Final = re.compile(r"[^\s/?#@:%\[\]]+|\[?[0-9A-Fa-f:.]+(?:%\w+)?\]?")
_T = TypeVar("_T")


class ClientError(Exception):
    """Why an answer is missing: `key` of a translated sentence, and the details for the log."""

    def __init__(self, key: str, details: str) -> None:
        super().__init__(details)
        self.key = key


class TokenError(ClientError):
    """The server needs a token, or another one."""


class NotFoundError(ClientError):
    """There is no such meter; or not even such a route, and then it is no server of this kind."""


class Client:
    """One server. Every method raises ClientError, also the constructor: for a host or token that cannot be one."""

    def __init__(
        self, session: aiohttp.ClientSession, *, host: str, port: int, token: str = "", is_https: bool = False
    ) -> None:
        if not _HOST.fullmatch(host):
            raise ClientError("invalid_host", f"'{host}' is no host")
        token = token.strip()
        if not all("!" <= character <= "~" for character in token):
            raise TokenError("invalid_auth", "a token has letters, digits and punctuation alone")
        self.url = URL.build(scheme="https" if is_https else "http", host=host.strip("[]"), port=port)
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def get(self, path: str, **query: str) -> Any:
        """JSON; numbers with a point are Decimals."""
        try:
            async with self._session.get(
                self.url.with_path(path), params=query, headers=self._headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(error) from error
        _check(answer.status, body)
        try:
            return decode(body)
        except UNREADABLE as error:
            raise ClientError(_NOT_A_SERVER, "the answer is not JSON") from error

    async def server(self) -> Server:
        return _parsed(server_from, await self.get("/api/v1/status"))

    async def meters(self) -> list[Meter]:
        return _parsed(meters_from, await self.get("/api/v1/meters"))

    async def snapshot(self) -> Snapshot:
        return Snapshot(await self.server(), tuple(await self.meters()))

    async def live(self, last_event_id: str) -> AsyncIterator[Event | None]:
        """The events after `last_event_id` ("" for the newest); None for a heartbeat. Ends when the server does."""
        headers = self._headers | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        parser = EventParser()
        try:
            async with self._session.get(
                self.url.with_path("/api/v1/live"), headers=headers, timeout=_STREAM_TIMEOUT, allow_redirects=False
            ) as answer:
                if answer.status != 200 or answer.content_type != "text/event-stream":
                    _check(answer.status, await answer.read())
                    raise ClientError(_NOT_A_SERVER, f"/api/v1/live is {answer.content_type}")
                async for chunk in answer.content.iter_any():
                    yield None
                    for event in parser.feed(chunk):
                        yield event
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _unreachable(error) from error


def _parsed(parse: Callable[[Any], _T], answer: Any) -> _T:
    try:
        return parse(answer)
    except UNREADABLE as error:
        raise ClientError(_NOT_A_SERVER, f"an answer that cannot be read: {error!r}") from error


def _check(status: int, body: bytes) -> None:
    """Raise for an answer that is no success; a problem of the server has a sentence in `detail`."""
    if status == 200:
        return
    try:
        detail = str(decode(body)["detail"])
    except UNREADABLE:
        raise ClientError(_NOT_A_SERVER, f"HTTP status {status}") from None
    if status == 401:
        raise TokenError("invalid_auth", detail)
    if status == 404:
        raise NotFoundError(_NOT_A_SERVER, detail)
    raise ClientError({403: "token_limited", 421: "unknown_host"}.get(status, "server_error"), detail)


def _unreachable(error: Exception) -> ClientError:
    reason = str(error) or type(error).__name__
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError)):
        return ClientError("certificate", reason)
    if isinstance(error, TimeoutError):
        return ClientError("no_answer", "no answer in time")
    return ClientError("cannot_connect", reason)
