"""The server of this machine, as its configuration describes it: where it answers, and what it says."""

import ssl
from typing import BinaryIO
from urllib.request import HTTPSHandler as HttpsHandler
from urllib.request import ProxyHandler, Request, build_opener

from iskra_server.config import ServerConfig

ANSWERS_WITHIN_S = 5.0
# a thousand meters with every register
_LONGEST = 16 << 20
# a server that listens everywhere answers here
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def address(server: ServerConfig, host: str | None = None) -> str:
    """Its base URL; `host` is how it is to be named, if not by where it listens."""
    host = host or _LOOPBACK.get(server.host, server.host)
    return f"http{'s' if server.tls_cert else ''}://{f'[{host}]' if ':' in host else host}:{server.port}"


def ask(server: ServerConfig, path: str) -> bytes:
    """What it answers, with its own token and whatever names its certificate has. Raises OSError, HTTPError is one."""
    opener = build_opener(ProxyHandler({}), *([HttpsHandler(context=_any_certificate())] if server.tls_cert else []))
    headers = {"authorization": f"Bearer {server.token.reveal()}"} if server.token else {}
    with opener.open(Request(address(server) + path, headers=headers), timeout=ANSWERS_WITHIN_S) as answer:
        return read(answer)


def _any_certificate() -> ssl.SSLContext:
    """Its own certificate is for the names that other machines use."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def read(answer: BinaryIO) -> bytes:
    """What a server answers; OSError where it is no server of ours, whose answers end."""
    body: bytes = answer.read(_LONGEST + 1)
    if len(body) > _LONGEST:
        raise OSError(f"its answer is longer than {_LONGEST >> 20} MB")
    return body
