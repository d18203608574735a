"""Requests to the server that runs on this machine, with the address and token of its configuration."""

import ssl
from typing import BinaryIO
from urllib.request import HTTPRedirectHandler as HttpRedirectHandler
from urllib.request import HTTPSHandler as HttpsHandler
from urllib.request import ProxyHandler, Request, build_opener

from iskra_server.config import ServerConfig

TIMEOUT_S = 5.0
# a thousand meters with every register
_MAX_BYTES = 16 << 20
# a server that listens on all addresses answers here
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def base_url(server: ServerConfig, host: str | None = None) -> str:
    """Its base URL; `host` replaces the address that it listens on."""
    host = host or _LOOPBACK.get(server.host, server.host)
    return f"http{'s' if server.tls_cert else ''}://{f'[{host}]' if ':' in host else host}:{server.port}"


class _NoRedirects(HttpRedirectHandler):
    """Our server has none: it is another program that would send the request, with the token, somewhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def ask(server: ServerConfig, path: str) -> bytes:
    """The body of its answer. Any certificate is accepted. Raises OSError (HTTPError is one)."""
    tls = [HttpsHandler(context=_any_certificate())] if server.tls_cert else []
    opener = build_opener(ProxyHandler({}), _NoRedirects(), *tls)
    headers = {"authorization": f"Bearer {server.token.reveal()}"} if server.token else {}
    with opener.open(Request(base_url(server) + path, headers=headers), timeout=TIMEOUT_S) as answer:
        return read_body(answer)


def _any_certificate() -> ssl.SSLContext:
    """The certificate of the server names the host that other machines use, not this loopback address."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def read_body(answer: BinaryIO) -> bytes:
    """The body; OSError if it is too long to be an answer of our server."""
    body: bytes = answer.read(_MAX_BYTES + 1)
    if len(body) > _MAX_BYTES:
        raise OSError(f"its answer is longer than {_MAX_BYTES >> 20} MB")
    return body
