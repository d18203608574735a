"""Exit status 0 while the server of this container works. Asks over HTTP, and over HTTPS where it speaks that alone.

It asks where the server really listens, whether that was configured by a file, a variable or an option: at the
listening sockets of the processes of this container, or of the process whose number is the argument.

The certificate is not checked: it names the server for others, and this asks the machine itself.
"""

import http.client
import os
import socket
import sys

TIMEOUT_S = 2
_LISTENING = "0A"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def sockets_of(process: str) -> set[str]:
    """The numbers of its sockets; none of a process that has ended or may not be looked at."""
    found = set()
    try:
        for descriptor in os.scandir(f"/proc/{process}/fd"):
            kind, _, number = os.readlink(descriptor.path).partition(":")
            if kind == "socket":
                found.add(number.strip("[]"))
    except OSError:
        return found
    return found


def listening(numbers: set[str]) -> list[tuple[str, int]]:
    """Addresses and ports of those that listen (proc(5), /proc/net/tcp)."""
    found = []
    for family, table in ((socket.AF_INET, "/proc/net/tcp"), (socket.AF_INET6, "/proc/net/tcp6")):
        try:
            with open(table) as lines:
                rows = [line.split() for line in lines][1:]
        except OSError:
            continue
        for row in rows:
            if row[3] == _LISTENING and row[9] in numbers:
                words, _, port = row[1].partition(":")
                parts = [int(words[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(words), 8)]
                address = socket.inet_ntop(family, b"".join(parts))
                found.append((_ANYWHERE.get(address, address), int(port, 16)))
    return found


def works(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def works_encrypted(address: str, port: int) -> bool:
    import ssl  # noqa: PLC0415 - asked every 20 s on small computers

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return works(http.client.HTTPSConnection(address, port, timeout=TIMEOUT_S, context=context))


# where the descriptors of the server may not be looked at
GUESS = ("127.0.0.1", int(os.environ.get("IES_PORT") or os.environ.get("IES_SERVER_PORT") or 8080))
processes = sys.argv[1:] or [name for name in os.listdir("/proc") if name.isdecimal()]
numbers = set().union(*map(sockets_of, processes))
sys.exit(
    not any(
        works(http.client.HTTPConnection(address, port, timeout=TIMEOUT_S)) or works_encrypted(address, port)
        for address, port in listening(numbers) or [GUESS]
    )
)
