"""How fast telegrams become readings, side by side with smllib and pysml, and with the least that checking can cost.

    python bench/decode.py

Every decoder gets the same telegrams in chunks of 64 bytes, one stream a profile of the simulator, and the streams of
real captures where they lie beside the project. Each figure is the best of several rounds, taken in turn, as machines
are noisy: read the ratios. `limit` is what finding the marks and one checksum cost, as a share of ours.
"""

import subprocess
import sys
import time
from binascii import crc_hqx
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import peers

ROOT = Path(__file__).parent.parent
CAPTURES = ROOT.parent / "shared" / "captures" / "sml"
CHUNK = 64
TELEGRAMS = 2000
PEER_TELEGRAMS = 100
ROUNDS = 3
REAL = ("ISKRA_MT175_PIN_log", "ISKRA_MT175_eHZ", "ISKRA_MT631-D1A52-K0z-H01_with_PIN")


def ours(telegrams: list[bytes]) -> int:
    from iskra_server.codecs.sml.decoder import SmlDecoder

    feed = SmlDecoder().feed
    return sum(1 for chunk in chunks(telegrams) for _ in feed(chunk))


def smllib(telegrams: list[bytes]) -> int:
    from smllib import SmlStreamReader

    stream, count = SmlStreamReader(), 0
    for chunk in chunks(telegrams):
        stream.add(chunk)
        while frame := stream.get_frame():
            frame.parse_frame()
            count += 1
    return count


def pysml(telegrams: list[bytes]) -> int:
    """As its own protocol class drives it."""
    from sml import SmlBase

    buffer, count = b"", 0
    for chunk in chunks(telegrams):
        buffer += chunk
        end, frame = SmlBase.find_frame(buffer)
        buffer = buffer[end:]
        count += bool(frame)
    return count


def least(telegrams: list[bytes]) -> int:
    """Find the marks and run the checksum once, nothing else."""
    stream, count, start = b"".join(telegrams), 0, 0
    reverse = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    while (end := stream.find(b"\x1b\x1b\x1b\x1b\x1a", start)) >= 0:
        count += crc_hqx(stream[start : end + 8].translate(reverse), 0xFFFF) == 0x1D0F
        start = end + 8
    return count


def chunks(telegrams: list[bytes]) -> Iterator[bytes]:
    stream = b"".join(telegrams)
    return (stream[at : at + CHUNK] for at in range(0, len(stream), CHUNK))


def streams() -> Iterator[tuple[str, list[bytes]]]:
    from iskra_server.simulator.sml_layouts import LAYOUTS
    from iskra_server.simulator.virtual import telegrams

    for name in LAYOUTS:
        yield name, list(islice(telegrams(name, start=datetime(2026, 3, 1, 8, tzinfo=UTC)), TELEGRAMS))
    for prefix in REAL:
        for path in sorted(CAPTURES.glob(f"{prefix}*.bin")):
            yield f"capture {path.stem.split('_')[1]}", whole_telegrams(path.read_bytes())


def whole_telegrams(byte_count: bytes) -> list[bytes]:
    """The telegrams of a capture, repeated up to the usual number."""
    from iskra_server.codecs.checksum import Variant
    from iskra_server.codecs.sml.decoder import has_valid_checksum
    from iskra_server.codecs.sml.transport import Transport

    transport, found = Transport(), []
    transport.ready(byte_count)
    while (telegram := transport.next()) is not None:
        if isinstance(telegram, bytes) and has_valid_checksum(telegram, Variant.X25):
            found.append(telegram)
    return (found * TELEGRAMS)[:TELEGRAMS]


def microseconds(run: Callable[[list[bytes]], int], telegrams: list[bytes]) -> float:
    started = time.perf_counter()
    count = run(telegrams)
    seconds = time.perf_counter() - started
    if count != len(telegrams):
        raise SystemExit(f"{run.__name__} found {count} of {len(telegrams)} telegrams")
    return seconds / count * 1e6


def compare() -> None:
    print("stream                  bytes  ours us    per s  smllib us  ratio  pysml us  ratio  limit")
    for name, telegrams in streams():
        rounds = [
            (
                microseconds(ours, telegrams),
                microseconds(smllib, telegrams[:PEER_TELEGRAMS]),
                microseconds(pysml, telegrams[:PEER_TELEGRAMS]),
                microseconds(least, telegrams),
            )
            for _ in range(ROUNDS)
        ]
        mine, lib, sml, floor = map(min, zip(*rounds, strict=True))
        byte_count = sum(map(len, telegrams)) // len(telegrams)
        print(
            f"{name:24}{byte_count:7}{mine:9.2f}{1e6 / mine:9.0f}{lib:11.1f}{lib / mine:7.1f}"
            f"{sml:10.0f}{sml / mine:7.0f}{floor / mine:7.0%}"
        )


def main() -> None:
    if "--inside" in sys.argv:
        return compare()
    python = peers.python_with("smllib==1.7", "pysml==0.1.9")
    subprocess.run([python, __file__, "--inside"], check=True)


if __name__ == "__main__":
    main()
