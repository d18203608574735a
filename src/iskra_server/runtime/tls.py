"""HTTPS by certificate files. What is wrong with one of them is a sentence."""

import errno
import os
import ssl
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from iskra_server.config import ConfigError

_MAX_BYTES = 1_000_000


def tls_context(cert: str, key: str) -> ssl.SSLContext | None:
    """What `server.tls_cert` and `server.tls_key` name, or None where neither is set. Raises ConfigError."""
    if not cert and not key:
        return None
    if not cert:
        raise ConfigError("server.tls_key is set without server.tls_cert; name the certificate's file too.")
    for name, file in (("tls_cert", cert), ("tls_key", key)):
        _check_readable(f"server.{name}", file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key or None, password=_no_password)
    except ssl.SSLError as error:
        raise ConfigError(_sentence(error, cert, key or cert)) from None
    except _Encrypted:
        raise ConfigError(f"The private key in {key or cert} has a password; store it without one.") from None
    return context


def contents(cert: str, key: str) -> bytes:
    """A hash of what the two files hold now, b"" where neither is set; `tls_context` says what is wrong with them."""
    digest = blake2b(digest_size=16)
    for file in filter(None, (cert, key)):
        with suppress(OSError):
            digest.update(_read(file))
    return digest.digest() if cert or key else b""


class _Encrypted(Exception):
    """The key asks for a password."""


def _no_password() -> str:
    raise _Encrypted


def _check_readable(name: str, file: str) -> None:
    try:
        if file:
            _read(file)
    except OSError as error:
        raise ConfigError(f"{name} names {file}, which cannot be read: {error.strerror}.") from None


def _read(file: str) -> bytes:
    """Not of a device, or of a pipe, which may have no end or no beginning."""
    if os.path.exists(file) and not os.path.isfile(file):
        raise OSError(errno.EINVAL, "it is not a file")
    with open(file, "rb") as opened:
        return opened.read(_MAX_BYTES)


def _sentence(error: ssl.SSLError, cert: str, key: str) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"The private key in {key} does not belong to the certificate in {cert}."
    if "-----BEGIN CERTIFICATE" not in Path(cert).read_text(errors="replace"):
        return f"server.tls_cert names {cert}, which holds no certificate in PEM form."
    if "PRIVATE KEY-----" not in Path(key).read_text(errors="replace"):
        return f"There is no private key in PEM form in {key}; server.tls_key names its file."
    return f"The certificate in {cert} and the key in {key} cannot be used: {error.reason or error}."
