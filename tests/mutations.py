"""Damaged telegrams: what serial lines do (lost octets, bits that fall from 1 to 0), and what they do not."""

from collections.abc import Iterator
from random import Random

from iskra_server.codecs.checksum import checksum


def mutated(telegrams: list[bytes], chance: Random, *, count: int) -> Iterator[bytes]:
    """`count` damaged telegrams; one in five has its transport checksum repaired afterwards."""
    for _ in range(count):
        octets = bytearray(chance.choice(telegrams))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            _damage(octets, chance)
        if chance.random() < 0.2 and len(octets) > 16:
            octets[-2:] = checksum(bytes(octets[:-2]))
        yield bytes(octets)


def _damage(octets: bytearray, chance: Random) -> None:
    at = chance.randrange(len(octets)) if octets else 0
    match chance.randrange(6):
        case 0:
            octets[at : at + 1] = bytes((octets[at] & ~(1 << chance.randrange(8)),)) if octets else b""
        case 1:
            octets[at : at + 1] = bytes((chance.randrange(256),))
        case 2:
            del octets[at : at + chance.randrange(1, 20)]
        case 3:
            octets[at:at] = chance.randbytes(chance.randrange(1, 20))
        case 4:
            octets[at:at] = b"\x1b" * chance.randrange(1, 10)
        case 5:
            del octets[at:]
