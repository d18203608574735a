"""A million damaged telegrams: no exception, no hang, no wrong value a checksum could have told, no good one lost.

    python bench/mutations.py [count]

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
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.reading import Reading
from mutations import mutated

SERIES = telegrams.series(6)
SENT = [telegrams.readings(data)[0] for data in SERIES]
BATCH = 10_000
LIMIT_S = 0.05


def batch(seed: int) -> tuple[int, int, float]:
    """(lost, undetectable, slowest) of one batch."""
    chance, lost, undetectable, slowest = Random(seed), 0, 0, 0.0
    for damaged in mutated(SERIES, chance, count=BATCH):
        decoder = SmlDecoder()
        list(decoder.feed(SERIES[0]))
        started = time.process_time()
        found = list(decoder.feed(damaged)) + list(decoder.feed(SERIES[3]))
        slowest = max(slowest, time.process_time() - started)
        lost += SENT[3] not in found
        undetectable += sum(isinstance(result, Reading) and result not in SENT for result in found)
    return lost, undetectable, slowest


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    lost = undetectable = done = 0
    slowest = 0.0
    started = time.perf_counter()
    with Pool(2) as pool:
        for result in pool.imap_unordered(batch, range(count // BATCH)):
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
