"""A simulated meter as a source: telegrams of a profile at the interval of the real meter, or faster.

`rate` is the speed of meter and household: at 10, a telegram of each second of the household comes every 0.1 s.
At 0 they come without pause.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from urllib.parse import parse_qsl, urlsplit

from iskra_server.base.address import Address
from iskra_server.base.clock import boottime_s
from iskra_server.base.installation import how_to_add
from iskra_server.simulator.faults import Faults, parse
from iskra_server.simulator.household import INSTALLED, Household
from iskra_server.simulator.profiles import DEFAULT, profile, readout_line
from iskra_server.simulator.simulated_meter import MeterAtSecond, Profile, serial_number
from iskra_server.sources.source import Chunk, SourceState, timestamped

SCHEME = "simulator"
CHUNK = 64
# a meter goes on while this computer is suspended or busy: what is missed for longer than this is never sent, what is
# late by less comes in one burst
MAX_LAG_S = 5.0
_OPTIONS = ("seed", "rate", "faults", "start", "since", "unlock", "relock", "measures")
_NEVER = math.inf


class SimulatedSource:
    """A source without a port. `start` is the household's time at the first telegram, now if not given.

    The counters are continuous from the year of `since` on (default: that of `start`). A locked profile is unlocked
    after `unlock` seconds of the household, and locks itself again after `relock`. `is_plant`: it is the meter at the
    roof of the household with this seed, and counts what that produces as export.

    Raises ValueError, with the fix, for an unknown profile, a bad fault, a negative rate, a start before 2020, or a
    plant without a roof.
    """

    simulated = True

    def __init__(
        self,
        profile_name: str = DEFAULT,
        *,
        seed: int = 1,
        rate: float = 1.0,
        faults: str = "",
        start: datetime | None = None,
        since: datetime | None = None,
        unlock: float = _NEVER,
        relock: float = _NEVER,
        is_plant: bool = False,
        url: str | None = None,
    ) -> None:
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(f"the simulator's rate is {rate}; give 1 for real pace, 10 for ten times, 0 for no pause")
        self.model = model = profile(profile_name)
        if model.key and find_spec("cryptography") is None:
            raise ValueError(f"the profile {model.name} encrypts and needs one more package: {how_to_add('encrypted')}")
        self.url = url or f"{SCHEME}:{model.name}"
        self._plugged = SourceState(
            self.url,
            is_open=True,
            line=readout_line(model),
            protocol=model.protocol,
            poll="read" if model.polled else "",
        )
        self._unplugged = SourceState(self.url, is_open=False, problem="simulated_unplugged")
        self.state = SourceState(self.url, is_open=False)
        self.rate = rate
        self._pause_s = model.interval_s / rate if rate else 0.0
        if unlock < _NEVER and not model.unlocked:
            raise ValueError(f"the profile {model.name} is not locked; one that can be unlocked is MT175-locked")
        self._seed = seed
        self._first = _first_second(start)
        # when the meter was at its first second; one that begins at a given time waits until it is prepared
        self._began_s = boottime_s() if start is None else math.nan
        self._household = _household(model, seed, self._first, since, is_plant=is_plant)
        self._second = self._first  # of the next telegram
        self._write = _writer(model, seed, self._household, self._first, unlocked_s=(unlock, relock))
        self._faults = Faults(parse(faults), seed)

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Endless. A second iteration continues where the first one stopped."""
        try:
            async with aclosing(self.intervals()) as intervals:
                async for data in intervals:
                    self.state = self._unplugged if data is None else self._plugged
                    for begin in range(0, len(data or b""), CHUNK):
                        yield timestamped((data or b"")[begin : begin + CHUNK])
        finally:
            self.state = SourceState(self.url, is_open=False)

    async def prepare(self) -> None:
        """Compute the household from its first day on: seconds on a small computer, so other tasks run in between."""
        for _ in self._household.advance(self._first):
            await asyncio.sleep(0)
        if math.isnan(self._began_s):
            self._began_s = boottime_s()

    def now(self) -> MeterAtSecond:
        """The meter at this moment."""
        passed_s = (boottime_s() - self._began_s) * self.rate
        return moment(self.model, self._seed, self._household, self._first + int(passed_s))

    def damage(self, message: bytes) -> bytes:
        """What the faults leave of a message."""
        return self._faults.apply(message) or b""

    async def intervals(self) -> AsyncGenerator[bytes | None, None]:
        """What arrives in each telegram interval: a telegram, damaged or not; b""; or None while unplugged."""
        await self.prepare()
        due_s = self._began_s + (self._second - self._first) / self.model.interval_s * self._pause_s
        while True:
            await asyncio.sleep(max(0.0, due_s - boottime_s()))
            late_s = boottime_s() - due_s
            if late_s > MAX_LAG_S and self._pause_s:
                missed = int(late_s / self._pause_s)
                self._second += missed * self.model.interval_s
                due_s += missed * self._pause_s
            telegram = self._write(self._second)
            self._second += self.model.interval_s
            due_s += self._pause_s
            yield self._faults.apply(telegram)


def telegrams(
    profile_name: str = DEFAULT,
    *,
    seed: int = 1,
    start: datetime | None = None,
    since: datetime | None = None,
    interval_s: int | None = None,
    unlocked_from: float = _NEVER,
    unlocked_to: float = _NEVER,
) -> Iterator[bytes]:
    """Endless valid telegrams, one every `interval_s` seconds of the household (default: that of the profile).

    The counters are continuous from the year of `since` on (default: that of `start`). `unlocked_from` and
    `unlocked_to` are the seconds since the first telegram between which a locked meter is unlocked.

    Raises ValueError for an unknown profile or a start before 2020.
    """
    model, first = profile(profile_name), _first_second(start)
    household = _household(model, seed, first, since)
    interval_s = interval_s or model.interval_s
    write = _writer(model, seed, household, first, unlocked_s=(unlocked_from, unlocked_to))
    return map(write, count(first, interval_s))


def _first_second(start: datetime | None) -> int:
    return int(start.timestamp() if start else time.time())


def _household(model: Profile, seed: int, first: int, since: datetime | None, *, is_plant: bool = False) -> Household:
    return Household(seed, model.pv_peak_w, int(since.timestamp()) if since else first, is_plant=is_plant)


def _writer(
    model: Profile, seed: int, household: Household, first: int, *, unlocked_s: tuple[float, float]
) -> Callable[[int], bytes]:
    """Writes the telegram of a Unix second; the meter is unlocked between `unlocked_s`, counted from `first` on."""
    unlocked = profile(model.unlocked) if model.unlocked else model
    begin, end = unlocked_s

    def write(second: int) -> bytes:
        now = unlocked if begin <= second - first < end else model
        return now.write(moment(model, seed, household, second))

    return write


def moment(model: Profile, seed: int, household: Household, second: int) -> MeterAtSecond:
    """A meter at a Unix second, with the count of the telegrams that it has sent since it was installed."""
    serial, count = serial_number(seed, is_plant=household.is_plant), (second - INSTALLED) // model.interval_s
    return MeterAtSecond(serial, household.at(second), count, household)


def from_url(url: str | Address) -> SimulatedSource:
    """`simulator:MT175?seed=1&rate=10&faults=noise=0.01,cut=0.02&start=2026-06-21T10:00:00Z`; each part optional.

    `measures=production` is the meter at the roof of the household that the meter with the same seed measures.
    Raises ValueError that names the part.
    """
    text = url if isinstance(url, str) else url.reveal()
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS:
            raise ValueError(f"the simulator has no option '{name}'; choose from {', '.join(_OPTIONS)}")
    return SimulatedSource(
        parts.netloc + parts.path or DEFAULT,
        seed=int(_number_option(options, "seed", "1")),
        rate=_number_option(options, "rate", "1"),
        faults=options.get("faults", ""),
        start=_time_option(options, "start"),
        since=_time_option(options, "since"),
        unlock=_number_option(options, "unlock", "inf"),
        relock=_number_option(options, "relock", "inf"),
        is_plant=_is_plant(options),
        url=text,
    )


def _is_plant(options: dict[str, str]) -> bool:
    measures = options.get("measures", "grid")
    if measures not in ("grid", "production"):
        raise ValueError(f"the simulator's measures is '{measures}'; give grid or production")
    return measures == "production"


def _number_option(options: dict[str, str], name: str, default: str) -> float:
    text = options.get(name, default)
    try:
        return int(text) if name == "seed" else float(text)
    except ValueError:
        raise ValueError(f"the simulator's {name} is '{text}'; give a number, such as {name}={default}") from None


def _time_option(options: dict[str, str], name: str) -> datetime | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"the simulator's {name} is '{text}'; give a time such as 2026-06-21T10:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
