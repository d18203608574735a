"""A million damaged telegrams: no exception, no hang, no wrong value a checksum could have told, no good one lost.

    python bench/mutations.py [count] [sml|p1|d0]

Each damaged telegram (tests/mutations.py: flipped, lost and inserted bytes, cut ends, one in five with its transport
checksum repaired) stands between two good ones. The one behind must be read; whatever else is read must be a reading
that was sent, or stand in bytes whose checksums are all right: those are counted, as no receiver could know better.
The slowest is in CPU time.
"""

import sys
import time
from multiprocessing import Pool
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import telegrams
import texts
from iskra_server.codecs.decoder import DECODERS
from iskra_server.meter.reading import Fault, Reading
from mutations import mutated, mutated_text, repair_d0, repair_p1

BATCH = 10_000
LIMIT_S = 0.05


def sml(chance: Random) -> bytes:
    return next(mutated(SERIES["sml"], chance, count=1))


def p1(chance: Random) -> bytes:
    return mutated_text(SERIES["p1"][0], chance, repair_p1)


def d0(chance: Random) -> bytes:
    return mutated_text(SERIES["d0"][0], chance, repair_d0)


PROTOCOLS = {"sml": sml, "p1": p1, "d0": d0}
SERIES = {
    "sml": telegrams.series(6),
    "p1": [texts.p1_telegram(texts.p1_lines(import_kwh=f"001234.{567 + k}", second=k)) for k in range(6)],
    "d0": [texts.d0_readout(texts.d0_lines(import_kwh=f"0008048.{375 + k}")) for k in range(6)],
}


def decoded(protocol: str, *parts: bytes) -> list[Reading | Fault]:
    decoder = DECODERS[protocol]()
    return [result for part in parts for result in decoder.feed(part)]


def batch(task: tuple[str, int]) -> tuple[int, int, float]:
    """(lost, undetectable, slowest) of one batch."""
    protocol, seed = task
    series = SERIES[protocol]
    sent = [texts.readings(decoded(protocol, data)) for data in series]
    values = [reading.registers for readings in sent for reading in readings]
    chance, lost, undetectable, slowest = Random(seed), 0, 0, 0.0
    for _ in range(BATCH):
        damaged = PROTOCOLS[protocol](chance)
        decoder = DECODERS[protocol]()
        list(decoder.feed(series[0]))
        started = time.process_time()
        found = texts.readings([*decoder.feed(damaged), *decoder.feed(series[3])])
        slowest = max(slowest, time.process_time() - started)
        lost += found[-len(sent[3]) :] != sent[3]
        undetectable += sum(reading.registers not in values for reading in found)
    return lost, undetectable, slowest


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    protocol = sys.argv[2] if len(sys.argv) > 2 else "sml"
    lost = undetectable = done = 0
    slowest = 0.0
    started = time.perf_counter()
    with Pool(2) as pool:
        for result in pool.imap_unordered(batch, ((protocol, seed) for seed in range(count // BATCH))):
            lost, undetectable, slowest = lost + result[0], undetectable + result[1], max(slowest, result[2])
            done += BATCH
            if sys.stderr.isatty():
                print(f"\r{done:,} of {count:,}", end="", file=sys.stderr)
    seconds = time.perf_counter() - started
    print(f"{done:,} damaged telegrams in {seconds:.0f} s: {lost} good ones lost behind them,")
    print(f"{undetectable} readings with other values whose checksums are all right, slowest {slowest * 1000:.1f} ms")
    sys.exit(bool(lost or slowest > LIMIT_S))


if __name__ == "__main__":
    main()
