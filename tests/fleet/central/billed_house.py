"""Random houses that a landlord bills: what their readers send, and what is then true of any group and time.

The oracle knows no epochs: it walks from each reading that counts to the next one, and adds up what the counter showed
to have gone through between them. All numbers are integers, in tenths of a Wh. It shares no code with the program but
the records in which readers tell what they measured.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from fleet.central.shown_readings import Column, Device, Shown, Sitting, Span, record, tenths
from iskra_server.fleet.central.claims import move_meter
from iskra_server.fleet.central.ingest import ReceivedMessage, ingest
from iskra_server.fleet.central.label_periods import LabelPeriod
from iskra_server.fleet.central.queries import Labels, set_labels
from iskra_server.fleet.central.tables import write_batch
from iskra_server.fleet.protocol import Correlation, ReaderStatus, encode, quarters
from iskra_server.history.model.records import MeterInfo, QuarterReading, Record
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis

BERLIN = ZoneInfo("Europe/Berlin")
IMPORT, EXPORT, DAY_TARIFF, NIGHT_TARIFF = map(
    Obis.parse, ("1-0:1.8.0*255", "1-0:2.8.0*255", "1-0:1.8.1*255", "1-0:1.8.2*255")
)
# the first day and how many follow: a day of 92 quarter-hours and the first of a month; one of 100; the first of a year
WINDOWS = ((date(2025, 3, 30), 3), (date(2025, 10, 25), 3), (date(2024, 12, 31), 2), (date(2025, 10, 31), 2))
TENANTS, TARIFFS, BUILDINGS = ("Meyer", "Neu", "Kim"), ("night", "day"), ("7", "8")
NEVER = 2**31 - 1
# when all of it arrives: the quarters of all houses are over
NOW_S = 1_769_000_000


class Gathered(Struct):
    """What is true of some metering points in a span of time, in tenths of a Wh; no energy is None."""

    energy: int | None = None
    meters: int = 0
    complete: int = 0
    quarters: int = 0
    measured: int = 0
    estimated: int = 0


class Flat:
    """A metering point: its devices, the oldest first, who read them, and to whom they belonged."""

    def __init__(self, random: Random, number: int, days: Sequence[int], kind: str) -> None:
        first, last = days[0], days[-1]
        origin = first - 400
        length = last + 400 - origin
        used = [random.choice((0, random.randrange(400), random.randrange(400))) for _ in range(length)]
        day = [step if (origin + at) % 96 in range(24, 88) else 0 for at, step in enumerate(used)]
        energies = {IMPORT: used}
        if kind == "two tariffs":
            energies |= {DAY_TARIFF: day, NIGHT_TARIFF: [one - other for one, other in zip(used, day, strict=True)]}
        if kind in ("both ways", "plant"):
            energies[EXPORT] = [random.choice((0, random.randrange(900))) for _ in range(length)]
        cuts = [
            first - random.choice((0, 0, 3, 120)),
            *sorted(random.sample(range(first, last), random.choice((0, 0, 1, 2)))),
        ]
        self.devices: list[Device] = []
        self.sittings: list[list[Sitting]] = []
        self.labels: list[dict[str, list[LabelPeriod]]] = []
        for place, cut in enumerate(cuts):
            is_last = place + 1 == len(cuts)
            end = last + random.choice((1, 20)) if is_last else cuts[place + 1] + random.choice((0, 0, 1, 5))
            own = dict(energies)
            if kind == "both ways" and place + 1 < len(cuts):
                # the old meter counted one way only
                own.pop(EXPORT)
            begin = cut + (random.choice((0, 0, 2)) if place else 0)
            span = begin, max(end, begin + 2)
            device = Device(random, f"1 ISK 00 {number * 10 + place:08}", span, own, origin)
            self.devices.append(device)
            self.sittings.append(list(_sittings(random, device)))
            is_plant = kind == "plant"
            self.labels.append(_labels(random, days, is_plant=is_plant, is_first=place == 0))
        self.columns: dict[Obis, Column] = {}
        self.messages: list[list[list[list[Record]]]] = []
        self._shown: list[dict[Obis, dict[int, Shown]]] = []
        self._spans: dict[object, list[Span]] = {}

    def record(self, random: Random) -> None:
        for sittings in self.sittings:
            of_device: dict[Obis, dict[int, Shown]] = {}
            self.messages.append([])
            for sitting, before in zip(sittings, [None, *sittings[:-1]], strict=True):
                written, shown = record(random, sitting)
                self.messages[-1].append(written)
                for obis, readings in shown.items():
                    known = of_device.setdefault(obis, {})
                    if readings and known:
                        _join(known, readings, before, sitting)
                    known |= readings
            self._shown.append(of_device)
        self.know(NEVER)

    def know(self, before: int) -> None:
        """The columns of readings from before a quarter."""
        counted: dict[Obis, dict[int, Shown]] = {}
        for of_device in self._shown:
            for obis, of_register in of_device.items():
                readings = {at: one for at, one in of_register.items() if at < before}
                if readings:
                    since = min(readings)
                    # nobody measured between the last reading of the old meter and the first one of the new one
                    readings[since] = replace(readings[since], is_whole=False)
                    kept = {at: one for at, one in counted.get(obis, {}).items() if at < since}
                    counted[obis] = kept | readings
        self.columns = {obis: Column(readings) for obis, readings in counted.items()}

    @property
    def newest(self) -> str:
        return self.devices[-1].name

    def group(self, kind: str, quarter: int) -> str | None:
        labelled = [at for at, labels in enumerate(self.labels) if labels.get(kind)]
        for at in reversed(labelled):
            since = 0 if at == labelled[0] else self.devices[at].begin
            for period in self.labels[at][kind]:
                if (period.from_quarter or since) <= quarter < period.to_quarter:
                    return period.value
            if quarter >= since:
                return None
        return None

    def is_in(self, groups: Sequence[tuple[str, str]], quarter: int) -> bool:
        """In all of them."""
        return all(self.group(kind, quarter) == value for kind, value in groups)

    def spans(
        self, groups: Sequence[tuple[str, str]], begin: int, end: int, within: Sequence[tuple[str, str]] | None = None
    ) -> list[Span]:
        """The times in which it is in all groups, and in one of `within`."""
        key = tuple(groups), None if within is None else tuple(within)
        if key not in self._spans:
            self._spans[key] = list(self._all_spans(groups, within))
        clipped = ((max(first, begin), min(until, end)) for first, until in self._spans[key])
        return [(first, until) for first, until in clipped if first < until]

    def _all_spans(self, groups: Sequence[tuple[str, str]], within: Sequence[tuple[str, str]] | None) -> Iterator[Span]:
        edges = {0, NEVER} | {device.begin for device in self.devices}
        for labels in self.labels:
            for period in (period for periods in labels.values() for period in periods):
                edges |= {period.from_quarter, period.to_quarter}
        since: int | None = None
        for quarter in sorted(edges):
            is_visible = within is None or any(self.is_in([one], quarter) for one in within)
            is_member = quarter < NEVER and is_visible and self.is_in(groups, quarter)
            if since is not None and not is_member:
                yield since, quarter
                since = None
            if since is None and is_member:
                since = quarter


def _join(known: dict[int, Shown], readings: dict[int, Shown], before: Sitting | None, sitting: Sitting) -> None:
    """What has gone through between the last reading of one reader and the first one of another."""
    last, first = max(known), min(readings)
    one, other = tenths(known[last].value), tenths(readings[first].value)
    assert before is not None
    span = last * 900 - before.clock_s, first * 900 - sitting.clock_s
    is_hidden = any(span[0] < at <= span[1] for at in sitting.device.restarts)
    gain = 0 if is_hidden or sitting.first_epoch else other - one
    readings[first] = replace(readings[first], gain=gain, is_whole=not (is_hidden or sitting.first_epoch))


def _sittings(random: Random, device: Device) -> Iterator[Sitting]:
    cuts = [device.begin]
    if device.end - device.begin > 12 and random.random() < 0.4:
        cuts += sorted(random.sample(range(device.begin + 2, device.end - 2), random.choice((1, 2))))
        cuts = [cut for at, cut in enumerate(cuts) if not at or cut - cuts[at - 1] > 4]
    clock_s, name = 0, ""
    is_rare = random.random() < 0.5
    for place, begin in enumerate(cuts):
        end = cuts[place + 1] - random.choice((0, 0, 1, 3)) if place + 1 < len(cuts) else device.end
        # a new memory card in the same reader, or another reader
        if not name or random.random() < 0.7:
            name = f"r{device.name[-8:].lstrip('0')}{'abc'[place]}"
            clock_s = random.choice((0, 0, 0, 400, -300, 17))
        absent = {
            quarter
            for at in random.sample(range(begin, end), min(end - begin, 2 if is_rare else 0))
            for quarter in range(at, at + random.randrange(14))
        }
        yield Sitting(name, f"{random.getrandbits(64):x}", clock_s, device, begin, end, absent)


def _labels(random: Random, days: Sequence[int], *, is_plant: bool, is_first: bool) -> dict[str, list[LabelPeriod]]:
    if is_plant:
        return {"building": [LabelPeriod("7")]}
    if not is_first and random.random() < 0.5:
        # those of the old meter go on
        return {}
    labels = {"building": _periods(random, days, BUILDINGS) if random.random() < 0.3 else [LabelPeriod("7")]}
    if random.random() < 0.85:
        labels["tenant"] = _periods(random, days, TENANTS)
    if random.random() < 0.6:
        labels["tariff"] = _periods(random, days, TARIFFS)
    return labels


def _periods(random: Random, days: Sequence[int], values: Sequence[str]) -> list[LabelPeriod]:
    """One for ever, or several with moves at midnight, some at another time, and times when it is empty."""
    if random.random() < 0.35:
        return [LabelPeriod(random.choice(values))]
    possible = [*days[1:-1], *days[1:-1], *(random.randrange(days[0], days[-1]) for _ in range(2))]
    moves = sorted({random.choice((0, 0, days[0])), *random.sample(possible, random.randrange(1, 4))})
    moves.append(random.choice((NEVER, NEVER, days[-1])))
    periods = [LabelPeriod(random.choice(values), *span) for span in pairwise(moves)]
    return [period for period in periods if random.random() < 0.85]


class House:
    """Flats of building 7, one of which may be a solar plant."""

    def __init__(self, seed: int, flats: int = 4) -> None:
        self.random = random = Random(seed)
        first, count = WINDOWS[seed % len(WINDOWS)]
        self.dates = [first + timedelta(days=place) for place in range(count + 1)]
        self.days = [quarter_at(day) for day in self.dates]
        kinds = ["one way", "two tariffs", "both ways", "one way", "both ways"]
        self.flats = [Flat(random, place + 1, self.days, kinds[place % 5]) for place in range(flats)]
        self.plant = Flat(random, flats + 1, self.days, "plant")
        for flat in self.all:
            for sittings in flat.sittings:
                _restart(random, sittings)
            flat.record(random)
        self._moved: set[str] = set()

    @property
    def all(self) -> list[Flat]:
        return [*self.flats, self.plant]

    def arrive(self, central: Store, before: int = NEVER) -> None:
        """Everything of quarters before this one reaches the central server, some of it twice and in any order."""
        sent: list[ReceivedMessage] = []
        central.write([], [_info(device) for flat in self.all for device in flat.devices])
        for flat in self.all:
            for place in range(len(flat.devices)):
                sent += self._of_device(central, flat, place, before)
        # meters of which nothing restarts may come in any order
        self.random.shuffle(sent)
        _deliver(central, sent)

    def _of_device(self, central: Store, flat: Flat, number: int, before: int) -> list[ReceivedMessage]:
        random, device, sittings = self.random, flat.devices[number], flat.sittings[number]
        info, late, owner = _info(device), list[ReceivedMessage](), ""
        for place, (sitting, written) in enumerate(zip(sittings, flat.messages[number], strict=True)):
            parts = list(_parts(random, [rows for rows in written if _quarter(rows) < before]))
            payloads = [encode(replace(quarters(info, part), ledger=sitting.ledger)) for part in parts]
            status = encode(ReaderStatus(1, NOW_S + sitting.clock_s, "1", []))
            own = [_message(sitting.reader, "status", status)]
            own += [_message(sitting.reader, "quarters", payload) for payload in payloads]
            _deliver(central, own[:1])
            # one that has sent nothing never had the meter
            if payloads and owner not in ("", sitting.reader) and sitting.reader not in self._moved:
                self._moved.add(sitting.reader)
                move_meter(central, device.name, sitting.reader, sitting.begin * 900)
            owner = sitting.reader if payloads else owner
            # what a reader said before a restart comes before what the next one says
            is_plain = not device.restarts and not any(each.first_epoch for each in sittings)
            if is_plain and place + 1 == len(sittings):
                _deliver(central, own[1:2])
                late += own[2:]
            else:
                random.shuffle(own)
                _deliver(central, [*own, *random.sample(own, len(own) // 5)])
        return late

    def label(self, central: Store) -> None:
        labels: dict[str, Labels] = {}
        for flat in self.all:
            for device, own in zip(flat.devices, flat.labels, strict=True):
                if own:
                    labels[device.name] = {kind: list(periods) for kind, periods in own.items()}
        assert set_labels(central, labels) == []
        for flat in self.all:
            for old, new in pairwise(flat.devices):
                central.replace_meter(old.name, new.name)

    def gathered(
        self,
        obis: Obis,
        groups: Sequence[tuple[str, str]],
        begin: int,
        end: int,
        within: Sequence[tuple[str, str]] | None = None,
    ) -> Gathered:
        result = Gathered()
        for flat in self.all:
            column = flat.columns.get(obis)
            spans = flat.spans(groups, begin, end, within)
            if column is None or not spans:
                continue
            result.meters += 1
            result.quarters += sum(until - first for first, until in spans)
            result.complete += all(at in column.readings for span in spans for at in span)
            for span in spans:
                energy = column.energy(*span)
                if energy is not None:
                    result.energy = (result.energy or 0) + energy
                measured, estimated = column.count(*span)
                result.measured, result.estimated = result.measured + measured, result.estimated + estimated
        return result


def quarter_at(day: date, tz: ZoneInfo = BERLIN) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=tz).timestamp()) // 900


def _restart(random: Random, sittings: list[Sitting]) -> None:
    """Of some devices: in what a reader sees, in a pause of it, or between two readers."""
    device = sittings[0].device
    for place, sitting in enumerate(sittings):
        inside = [at for at in range(sitting.begin, sitting.end) if at not in sitting.absent]
        if len(inside) > 3 and random.random() < 0.2:
            at = random.randrange(len(inside) - 1)
            first_s, last_s = (quarter * 900 - sitting.clock_s for quarter in inside[at : at + 2])
            device.restart(random, random.randrange(first_s + 1, last_s + 1))
        following = sittings[place + 1] if place + 1 < len(sittings) else None
        begins = following and [at for at in range(following.begin, following.end) if at not in following.absent]
        if inside and following and begins and not device.restarts and random.random() < 0.2:
            first_s, last_s = inside[-1] * 900 - sitting.clock_s, begins[0] * 900 - following.clock_s
            device.restart(random, random.randrange(first_s + 1, last_s + 1))
            if random.random() < 0.5:
                following.first_epoch = 1


def _info(device: Device) -> MeterInfo:
    return MeterInfo(device.name, "0901" + device.name[-8:], False, device.begin * 900, device.end * 900)


def _quarter(rows: Sequence[Record]) -> int:
    return next(row.quarter for row in rows if isinstance(row, QuarterReading))


def _parts(random: Random, written: Sequence[list[Record]]) -> Iterator[list[Record]]:
    left = list(written)
    while left:
        count = random.randrange(1, 97)
        yield [row for rows in left[:count] for row in rows]
        del left[:count]


def _message(reader: str, kind: str, payload: bytes) -> ReceivedMessage:
    return ReceivedMessage(
        f"iskra/v1/{reader}/{kind}",
        payload,
        NOW_S,
        answer_to=f"iskra/v1/{reader}/kept",
        correlation_data=bytes(Correlation(reader.encode().ljust(8, b"-")[:8], 1)),
    )


def _deliver(central: Store, messages: Sequence[ReceivedMessage]) -> None:
    for begin in range(0, len(messages), 60):
        outcome = write_batch(central, ingest(messages[begin : begin + 60]), NOW_S)
        assert not outcome.receipts, outcome.receipts
        assert not outcome.conflicts
