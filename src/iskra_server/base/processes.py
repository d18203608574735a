"""The programs of this machine, their open files and the ports at which they listen, as /proc shows them."""

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

PROC = Path("/proc")
Transport = Literal["tcp", "udp"]
# our commands as Linux shows them: 15 characters at most
_OURS = ("iskra-server", "iskra-electrici")
_SERVER = re.compile(r"\b(?:iskra-server|iskra-electrici) (?:serve|demo) \(pid ")
# TCP_LISTEN; of UDP every socket
_LISTENING = {"tcp": ("0A",), "udp": ("07", "01")}


class ListeningSocket(NamedTuple):
    """`uid` is the user who opened it, `inode` what a file descriptor of its program leads to."""

    host: str
    port: int
    uid: int
    inode: str


def open_files(proc: Path = PROC) -> Iterator[tuple[str, str]]:
    """(program, target) of every open file; a program is "name (pid 812)", a target "/dev/tty" or "socket:[4711]".

    One of our own is named with its command: "iskra-server serve (pid 812)". Processes of other users are hidden from
    all users but root.
    """
    for process in proc.glob("[0-9]*"):
        if targets := list(_targets(process)):
            program = _program(process)
            yield from ((program, target) for target in targets)


def is_server(programs: str) -> bool:
    """Whether one of these programs is a server of ours."""
    return bool(_SERVER.search(programs))


def listening_programs(port: int, transport: Transport, proc: Path = PROC) -> list[str]:
    """Those that hold the port, "name (pid 812)", as far as this user may see them."""
    sockets = {f"socket:[{found.inode}]" for found in _sockets(transport, proc) if found.port == port}
    return sorted({program for program, target in open_files(proc) if target in sockets}) if sockets else []


def sockets_of_other_servers(proc: Path = PROC) -> Iterator[ListeningSocket]:
    """Where other servers of ours on this machine listen.

    Which sockets belong to a program of another user is hidden: then all of that user are given.
    """
    listening = list(_sockets("tcp", proc))
    for process in proc.glob("[0-9]*"):
        if process.name == str(os.getpid()) or not is_server(_program(process)):
            continue
        with suppress(OSError):
            uid, own = process.stat().st_uid, set(_targets(process))
            yield from (found for found in listening if (f"socket:[{found.inode}]" in own if own else found.uid == uid))


def _targets(process: Path) -> Iterator[str]:
    # a process may end meanwhile, or belong to another user
    with suppress(OSError):
        for descriptor in os.scandir(process / "fd"):
            with suppress(OSError):
                yield os.readlink(descriptor.path)


def _program(process: Path) -> str:
    return f"{_name(process)} (pid {process.name})"


def _name(process: Path) -> str:
    try:
        name = (process / "comm").read_text().strip()
        return f"{name} {_command(process)}".strip() if name in _OURS else name
    except OSError:
        return "a program"


def _command(process: Path) -> str:
    """ "serve" of: python /usr/bin/iskra-server serve --port 9000"""
    arguments = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    return next((after for name, after in pairwise(arguments) if Path(name).name.startswith("iskra-")), "")


def _sockets(transport: Transport, proc: Path) -> Iterator[ListeningSocket]:
    """A line of /proc/net/tcp is "0: 0100007F:0050 00000000:0000 0A 0:0 0:0 0 uid 0 inode ..."."""
    for table in (transport, f"{transport}6"):
        with suppress(OSError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] in _LISTENING[transport]:
                    host, _, port = fields[1].rpartition(":")
                    yield ListeningSocket(_host(host), int(port, 16), int(fields[7]), fields[9])


def _host(text: str) -> str:
    """Each 32 bits of the address are in the byte order of this machine."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, b"".join(words))
