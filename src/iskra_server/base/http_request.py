"""One HTTP request in a thread: http.client takes 1 MB of memory, an asynchronous client 13."""

import http.client
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

from msgspec import Struct

from iskra_server.base.address import Address

# bridges of reading heads are slow now and then
TIMEOUT_S = 10.0
# a D0 readout, the longest telegram, has 32 kB
MAX_BYTES = 64 * 1024


class Answer(Struct, frozen=True):
    """`body` has at most one byte more than is allowed."""

    status: int
    content_type: str
    body: bytes


@cache
def authorities() -> ssl.SSLContext:
    """The certificates of this machine, read once: that takes longer than a request."""
    return ssl.create_default_context()


class HttpRequest:
    """`send` runs in a thread of its own; a redirect is not followed. A body is sent by POST."""

    def __init__(
        self,
        address: Address,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        context: ssl.SSLContext | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """`context` has other certificates than those of this machine."""
        if address.scheme == "https":
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                address.host, address.port or 443, timeout=TIMEOUT_S, context=context or authorities()
            )
        else:
            # without a port it would take the end of an IPv6 address for one
            self._connection = http.client.HTTPConnection(address.host, address.port or 80, timeout=TIMEOUT_S)
        self._path = path
        self._max_bytes = max_bytes
        self._body = body
        self._headers = {"Accept-Encoding": "identity", "Connection": "close", **(headers or {})}
        if address.user:
            credentials = f"{address.user}:{address.password.reveal()}".encode()
            self._headers["Authorization"] = f"Basic {b64encode(credentials).decode()}"

    def send(self) -> Answer:
        """Blocks. Raises OSError and HTTPException."""
        deadline_s = time.monotonic() + TIMEOUT_S
        try:
            method = "GET" if self._body is None else "POST"
            self._connection.request(method, self._path, self._body, self._headers)
            with self._connection.getresponse() as response:
                body = b""
                while len(body) <= self._max_bytes and (part := response.read1(MAX_BYTES)):
                    body += part
                    if time.monotonic() > deadline_s:
                        raise TimeoutError
            return Answer(response.status, response.getheader("Content-Type", ""), body[: self._max_bytes + 1])
        finally:
            self._connection.close()

    def abort(self) -> None:
        """Ends `send` in its thread."""
        if open_socket := self._connection.sock:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
