"""Datagrams of SMA Energy Meters: what a program hears that listens to their group."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from iskra_server.outputs.emulation.sma_energy_meter import GROUP, PORT


@contextmanager
def listening(address: str = "127.0.0.1", interface: str = "") -> Iterator[socket.socket]:
    """Receives what is sent to the group in the network of an address of this machine, also by other tests.

    What arrives at another interface is received, too, unless `interface` is named.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if interface:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        receiver.bind((GROUP, PORT))
        membership = socket.inet_aton(GROUP) + socket.inet_aton(address)
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        yield receiver


def serial_of(data: bytes) -> int:
    (serial,) = struct.unpack_from(">I", data, 20)
    return int(serial)


def decoded(data: bytes) -> dict[tuple[int, int], int]:
    """(channel, type) -> value, as the makers of such clients read it."""
    (length,) = struct.unpack_from(">H", data, 12)
    assert len(data) == length + 20
    values, at = {}, 28
    while data[at : at + 4] != b"\x90\0\0\0":
        channel, kind = data[at + 1], data[at + 2]
        assert (channel, kind) not in values
        values[channel, kind] = int.from_bytes(data[at + 4 : at + 4 + kind])
        at += 4 + kind
    assert len(data) - at == 12
    return values
