"""Damaged telegrams: what serial lines do (lost bytes, bits that fall from 1 to 0), and what they do not."""

from collections.abc import Iterator
from random import Random

from iskra_server.codecs.checksum import checksum


def mutated(telegrams: list[bytes], chance: Random, *, count: int) -> Iterator[bytes]:
    """`count` damaged telegrams; one in five has its transport checksum repaired afterwards."""
    for _ in range(count):
        data = bytearray(chance.choice(telegrams))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            _damage(data, chance)
        if chance.random() < 0.2 and len(data) > 16:
            data[-2:] = checksum(bytes(data[:-2]))
        yield bytes(data)


def _damage(data: bytearray, chance: Random) -> None:
    at = chance.randrange(len(data)) if data else 0
    match chance.randrange(6):
        case 0:
            data[at : at + 1] = bytes((data[at] & ~(1 << chance.randrange(8)),)) if data else b""
        case 1:
            data[at : at + 1] = bytes((chance.randrange(256),))
        case 2:
            del data[at : at + chance.randrange(1, 20)]
        case 3:
            data[at:at] = chance.randbytes(chance.randrange(1, 20))
        case 4:
            data[at:at] = b"\x1b" * chance.randrange(1, 10)
        case 5:
            del data[at:]
