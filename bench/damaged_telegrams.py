"""A million damaged telegrams: no exception, no hang, no wrong value a checksum could have told, no good one lost.

    python bench/damaged_telegrams.py [count] [sml|p1|d0|dlms]

Each damaged telegram (tests/mutations.py: flipped, lost and inserted bytes, cut ends, one in five with its checksum
repaired) stands between two good ones. Both must be read once. Whatever else is read must be a reading that was sent,
or stand in bytes whose checksums are all right: those are counted, as no receiver could know better. They are either
repaired ones, or have passed the 8 bits of a block check or of M-Bus by chance. A DLMS telegram that a key proves must
never have another value, and a wrong key must never give one. The slowest is in CPU time.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from multiprocessing import Pool
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import pushes
import telegrams
import texts
from iskra_server.codecs.decoder import DECODERS, Decoder
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.dlms.security import Keys
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.reading import Reading
from mutations import mutated

BATCH = 10_000
WRONG_KEYS = 500
LIMIT_S = 0.05
# HDLC 2 kB for a frame and 8 kB for a list, D0 32 kB
MAX_PENDING = 33_000

Telegram = tuple[bytes, bytes, bytes]


def dlms(make: Callable[[int], bytes]) -> Telegram:
    first, second, third = map(make, (100, 101, 102))
    return first, second, third


def values(counter: int) -> Iterable[tuple[str, int, int, int]]:
    return ((obis, raw + counter, scaler, unit) for obis, raw, scaler, unit in pushes.VALUES)


def sealed_p1(counter: int) -> bytes:
    return encoder.seal(texts.p1_telegram(texts.p1_lines(second=counter - 90)), pushes.TITLE, counter, pushes.KEYS)


# the good one before, the one that is damaged, the good one behind it: of two numbers that differ in one bit, damage
# would make one of the other
SERIES: dict[str, list[Telegram]] = {
    "sml": [tuple(telegrams.series(3))],  # type: ignore[list-item]
    "p1": [
        tuple(texts.p1_telegram(texts.p1_lines(import_kwh=f"001234.{567 + 111 * k}", second=k)) for k in range(3))  # type: ignore[list-item]
    ],
    "d0": [
        tuple(form(texts.d0_readout(texts.d0_lines(import_kwh=f"0008048.{375 + 111 * k}"))) for k in range(3))  # type: ignore[misc]
        for form in (bytes, with_parity)
    ],
    "dlms": [
        dlms(lambda k: encoder.hdlc(pushes.apdu(pushes.tagged(values(k))), 60)),
        dlms(lambda k: encoder.hdlc(pushes.apdu(pushes.ljubljana((700 + k, 40), (500 + k, 120, 80, 0, 0, 40))))),
        dlms(lambda k: encoder.hdlc(pushes.sealed(pushes.pairs(values(k)), k, 0x20))),
        dlms(lambda k: encoder.hdlc(pushes.sealed(pushes.described(values(k)), k), 100)),
        dlms(lambda k: encoder.mbus(pushes.sealed(pushes.flat(values(k)), k))),
        dlms(lambda k: encoder.mbus(pushes.sealed(pushes.flat(values(k)), k, 0x20))),
        # a damaged length without a checksum claims up to 8 kB of what follows; then these are read, too
        dlms(lambda k: b"".join(map(sealed_p1, range(k, 118 if k == 102 else k + 1)))),
    ],
}


def decoder_of(protocol: str) -> Decoder:
    return DlmsDecoder(pushes.KEYS) if protocol == "dlms" else DECODERS[protocol]()


def read(decoder: Decoder, *parts: bytes) -> list[Reading]:
    return texts.readings([result for part in parts for result in decoder.feed(part)])


def alike(reading: Reading) -> object:
    return reading.meter_id, reading.registers, reading.meter_time


def batch(task: tuple[str, int]) -> tuple[Counter[str], float]:
    """What one batch counts, and the seconds of its slowest telegram."""
    protocol, seed = task
    chance, counts, slowest = Random(seed), Counter[str](), 0.0
    expected = [
        [[alike(reading) for reading in read(decoder_of(protocol), part)] for part in series]
        for series in SERIES[protocol]
    ]
    for _ in range(BATCH):
        index = chance.randrange(len(expected))
        (before, data, behind), sent = SERIES[protocol][index], expected[index]
        decoder = decoder_of(protocol)
        list(decoder.feed(before))
        started = time.process_time()
        found = read(decoder, mutated(protocol, data, chance), behind)
        slowest = max(slowest, time.process_time() - started)
        seen = [alike(reading) for reading in found]
        counts["lost"] += any(each not in seen for each in sent[2][:2])
        # a gas meter sends the same value for an hour
        meters = [alike(reading) for reading in found if not reading.channel]
        counts["twice"] += len(set(map(repr, meters))) != len(meters)
        counts["hoarded"] += decoder.pending > MAX_PENDING
        known = [each for readings in sent for each in readings]
        for reading in found:
            if alike(reading) not in known:
                is_wrong = reading.protection == "tag"
                counts["wrong" if is_wrong else "unprotected" if reading.is_weak else "undetectable"] += 1
    return counts + Counter(wrong_keys(protocol, chance)), slowest


def wrong_keys(protocol: str, chance: Random) -> dict[str, int]:
    """Encrypted telegrams opened with keys that are not theirs."""
    if protocol != "dlms":
        return {}
    wrong = 0
    for _ in range(WRONG_KEYS):
        stream = chance.choice(SERIES["dlms"][2:])[1]
        keys = Keys(chance.randbytes(16), chance.choice((b"", pushes.KEYS.authentication)))
        wrong += any(isinstance(each, Reading) for each in DlmsDecoder(keys).feed(stream))
    return {"wrong": wrong, "wrong keys tried": WRONG_KEYS}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    protocol = sys.argv[2] if len(sys.argv) > 2 else "sml"
    counts, done, slowest = Counter[str](), 0, 0.0
    started = time.perf_counter()
    with Pool(2) as pool:
        for found, seconds in pool.imap_unordered(batch, ((protocol, seed) for seed in range(count // BATCH))):
            counts, slowest, done = counts + found, max(slowest, seconds), done + BATCH
            if sys.stderr.isatty():
                print(f"\r{done:,} of {count:,}", end="", file=sys.stderr)
    seconds = time.perf_counter() - started
    print(f"{protocol}: {done:,} damaged telegrams in {seconds:.0f} s: {counts['lost']} good ones lost behind them,")
    print(f"{counts['twice']} read twice, {counts['wrong']} wrong values where a tag or a key exists,")
    print(f"{counts['undetectable']} readings with other values whose checksums are all right,")
    print(f"{counts['unprotected']} of telegrams that are marked as unprotected,")
    print(f"{counts['wrong keys tried']:,} wrong keys tried,", end=" ")
    print(f"{counts['hoarded']} times too much memory, slowest {slowest * 1000:.1f} ms")
    sys.exit(bool(counts["lost"] or counts["twice"] or counts["wrong"] or counts["hoarded"] or slowest > LIMIT_S))


if __name__ == "__main__":
    main()
