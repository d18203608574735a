"""Encodes D0 messages of both sides, for the session, the simulator and tests.

All in seven bits; `text.parity.with_parity` adds the parity bit for a port of 8 bits without parity.
"""

from collections.abc import Iterable

from iskra_server.codecs.checksum import bcc
from iskra_server.codecs.d0.frames import EOT, ETX, SOH, STX

ACK, NAK = b"\x06", b"\x15"
LINE_END = b"\r\n"
READOUT, PROGRAMMING = "0", "1"


def request(address: str = "") -> bytes:
    """`/?!`, or `/?ADDRESS!` for one of several meters on a line."""
    return b"/?" + address.encode("ascii") + b"!" + LINE_END


def option_select(speed: str, mode: str = READOUT) -> bytes:
    """ACK 0 Z Y: the speed, and a readout or programming mode."""
    return ACK + f"0{speed}{mode}".encode("ascii") + LINE_END


def read_register(code: str) -> bytes:
    """SOH R1 STX code() ETX BCC: read one register in programming mode."""
    return command("R1", f"{code}()")


# SOH B0 ETX BCC ends programming mode
BREAK = SOH + b"B0" + ETX + bytes((bcc(b"B0" + ETX),))


def command(name: str, data: str) -> bytes:
    """SOH name STX data ETX BCC."""
    body = name.encode("ascii") + STX + data.encode("ascii") + ETX
    return SOH + body + bytes((bcc(body),))


def identification(ident: str) -> bytes:
    """The identification line; `ident` without its "/"."""
    return b"/" + ident.encode("latin-1") + LINE_END


def block(data: str, *, is_last: bool = True) -> bytes:
    """STX data ETX BCC, or EOT where another block follows."""
    body = data.encode("latin-1") + (ETX if is_last else EOT)
    return STX + body + bytes((bcc(body),))


def readout(lines: Iterable[str]) -> bytes:
    """A whole readout in one block."""
    return block("\r\n".join((*lines, "!", "")))


def pushed(ident: str, lines: Iterable[str]) -> bytes:
    """A readout as mode D sends it, without a block check."""
    return identification(ident) + "\r\n".join(("", *lines, "!", "")).encode("latin-1")
