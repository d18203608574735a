"""Damage that no checksum sees: what a meter without one publishes, on a line that damages one byte in so many.

    python bench/damage.py [telegrams] [one byte in]

A household of 40 to 9,000 W whose export stands still at night, a telegram every 10 s, for as many telegrams. A damaged
byte becomes the worst that it can: a digit becomes another one (of equal parity on a line with parity), and the sum of
a damaged M-Bus frame is repaired. Each telegram takes the road of a reader: decoder, identity, record, guard. Counted
are values above the truth, those below what the meter sent two telegrams before, those that are not the newest,
undamaged telegrams that were held back, and new epochs.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import pushes
from iskra_server.codecs.d0 import encoder as d0
from iskra_server.codecs.d0.decoder import D0Decoder
from iskra_server.codecs.decoder import Decoder
from iskra_server.codecs.dlms import encoder as dlms
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.p1 import encoder as p1
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.confirmed_ids import ConfirmedMeters
from iskra_server.meter.guard import Guard
from iskra_server.meter.normalise import MeterMemory, merge_parts, normalise
from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.reading import Reading, Sample

STEP_S = 10
DAY = 8640
START = datetime(2026, 11, 22, tzinfo=UTC)
_DIGITS = b"0123456789"
_ODD = bytes(digit for digit in _DIGITS if digit.bit_count() % 2)
_EVEN = bytes(digit for digit in _DIGITS if digit.bit_count() % 2 == 0)


class House:
    """Counters in Wh, exact: `totals` are import and export."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._work_s = [37_160_000 * 3600, 8_123_400 * 3600]
        self.power_w = 300

    def advance(self, number: int) -> None:
        if self._chance.random() < 0.05:
            self.power_w = int(40 * 225 ** self._chance.random())
        is_day = 0.3 < number % DAY / DAY < 0.7
        feeds = is_day and number // 90 % 3 == 0
        self._work_s[feeds] += self.power_w * STEP_S
        self.powers = (0, self.power_w) if feeds else (self.power_w, 0)

    @property
    def totals(self) -> tuple[int, int]:
        return self._work_s[0] // 3600, self._work_s[1] // 3600


def lines(house: House) -> list[str]:
    bought, sold = (f"{wh / 1000:011.3f}" for wh in house.totals)
    takes, gives = (f"{watts / 1000:06.3f}" for watts in house.powers)
    return [
        "0-0:96.1.0(10000019)",
        f"1-0:1.8.0({bought}*kWh)",
        f"1-0:2.8.0({sold}*kWh)",
        f"1-0:1.7.0({takes}*kW)",
        f"1-0:2.7.0({gives}*kW)",
        "1-0:32.7.0(237.1*V)",
        "1-0:52.7.0(236.4*V)",
        "1-0:72.7.0(235.8*V)",
        "1-0:31.7.0(001.2*A)",
    ]


def plain_p1(house: House, number: int) -> bytes:
    return p1.without_checksum(r"ISK9\2M551T-200", lines(house))


def pushed_d0(house: House, number: int) -> bytes:
    return with_parity(d0.pushed("ISK5MT174-0099", lines(house)))


def mbus(house: House, number: int) -> bytes:
    (bought, sold), (takes, gives) = house.totals, house.powers
    values = [
        ("1-0:1.8.0", bought, 0, 30),
        ("1-0:2.8.0", sold, 0, 30),
        ("1-0:1.7.0", takes, 0, 27),
        ("1-0:2.7.0", gives, 0, 27),
        *pushes.VALUES[4:],
    ]
    time = START + timedelta(seconds=STEP_S * number)
    clock = dlms_clock(time)
    body = dlms.structure(dlms.octet_string(clock), *pushes.flat(values).items[1:])
    return dlms.mbus(pushes.sealed(body, 100 + number, 0x20, clock=clock))


def dlms_clock(time: datetime) -> bytes:
    date = time.year.to_bytes(2) + bytes((time.month, time.day, time.isoweekday()))
    return date + bytes((time.hour, time.minute, time.second, 255, 0, 0, 0))


def digit(byte: int, chance: Random) -> int:
    return chance.choice(_DIGITS) if byte in _DIGITS else chance.randrange(256)


def digit_of_parity(byte: int, chance: Random) -> int:
    seven = byte & 0x7F
    if seven not in _DIGITS:
        return chance.randrange(256)
    return byte & 0x80 | chance.choice(_ODD if seven in _ODD else _EVEN)


def any_byte(byte: int, chance: Random) -> int:
    return chance.randrange(256)


def unrepaired(data: bytearray) -> bytes:
    return bytes(data)


def repaired_mbus(data: bytearray) -> bytes:
    """With right sums, where the frames can still be found."""
    at = 0
    while at + 6 < len(data) and data[at] == 0x68 and at + data[at + 1] + 6 <= len(data):
        end = at + 4 + data[at + 1]
        data[end] = sum(data[at + 4 : end]) % 256
        at = end + 2
    return bytes(data)


Damage = tuple[Callable[[int, Random], int], Callable[[bytearray], bytes]]
KINDS: dict[str, tuple[Callable[[House, int], bytes], Callable[[], Decoder], Damage]] = {
    "P1 without CRC": (plain_p1, P1Decoder, (digit, unrepaired)),
    "D0 pushed, parity": (pushed_d0, D0Decoder, (digit_of_parity, unrepaired)),
    "M-Bus without tag": (mbus, lambda: DlmsDecoder(pushes.KEYS), (any_byte, repaired_mbus)),
}


def damaged(sent: bytes, damage: Damage, one_in: int, chance: Random) -> bytes:
    data, (change, repair) = bytearray(sent), damage
    at = int(chance.expovariate(1 / one_in))
    if at >= len(data):
        return sent
    while at < len(data):
        data[at] = change(data[at], chance)
        at += 1 + int(chance.expovariate(1 / one_in))
    return repair(data)


class Road:
    """What a reader does with the telegrams of one source."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._confirmed, self._memories, self._guard = ConfirmedMeters(), dict[str, MeterMemory](), Guard()

    def results(self, data: bytes, at_s: float) -> list[object]:
        return [self._admit(item, at_s) for item in merge_parts(self._decoder.feed(data)) if isinstance(item, Reading)]

    def _admit(self, sent: Reading, at_s: float) -> object:
        known = self._guard.knows(sent.meter_id)
        if not self._confirmed.confirm(sent.meter_id, at_s, is_known=known):
            return None
        reading, _ = normalise(sent, self._memories.setdefault(sent.meter_id, MeterMemory()))
        return self._guard.admit(Sample(reading, START + timedelta(seconds=at_s), at_s, False, "bench"))


def run(kind: str, telegrams: int, one_in: int) -> dict[str, float]:
    write, decoder, damage = KINDS[kind]
    chance = Random(1)
    house, road = House(chance), Road(decoder())
    counts = dict.fromkeys(
        ("damaged", "read though damaged", "published", "above", "below", "behind", "held back", "epochs"), 0.0
    )
    recent: list[tuple[int, int]] = []
    for number in range(telegrams):
        house.advance(number)
        recent = [*recent[-2:], house.totals]
        sent = write(house, number)
        data = damaged(sent, damage, one_in, chance)
        counts["damaged"] += data != sent
        results = road.results(data, float(STEP_S * number))
        counts["read though damaged"] += bool(results) and data != sent
        samples = [result for result in results if isinstance(result, Sample)]
        counts["held back"] += data == sent and not samples and number > 1
        for sample in samples:
            counts["epochs"] = max(counts["epochs"], sample.epoch)
            for place, obis in enumerate((IMPORT, EXPORT)):
                register = sample.reading.get(obis)
                if register is None or register.value is None:
                    continue
                truths = [totals[place] for totals in recent]
                counts["published"] += 1
                counts["above"] += register.value > truths[-1]
                counts["below"] += register.value < truths[0]
                counts["behind"] += register.value < truths[-1]
    return counts


def main() -> None:
    telegrams = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rates = [int(sys.argv[2])] if len(sys.argv) > 2 else [1000, 10_000]
    for kind in KINDS:
        for one_in in rates:
            counts = ", ".join(f"{name} {count:,.0f}" for name, count in run(kind, telegrams, one_in).items())
            print(f"{kind}, 1 byte in {one_in:,}: {counts}", flush=True)


if __name__ == "__main__":
    main()
