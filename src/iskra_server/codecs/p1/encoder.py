"""Encodes P1 telegrams, for the simulator and tests."""

from collections.abc import Iterable

from iskra_server.codecs.checksum import arc


def telegram(ident: str, lines: Iterable[str]) -> bytes:
    """A telegram of DSMR 4 and later; `ident` without its "/"."""
    body = without_checksum(ident, lines)[: -len("\r\n")]
    return body + f"{arc(body):04X}\r\n".encode()


def without_checksum(ident: str, lines: Iterable[str]) -> bytes:
    """A telegram of DSMR 2.2 and 3."""
    return "\r\n".join((f"/{ident}", "", *lines, "!", "")).encode("latin-1")
