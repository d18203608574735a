"""Finds the meter at one open port: its protocol and its line settings.

    listen   9600 8N1     6 s   SML, HDLC, text that is sent unasked: the codecs check its parity
             115200 8N1  11 s   P1, HDLC
             2400 8E1    11 s   M-Bus, HDLC
             38400 8N1    6 s   HDLC
    ask      300          -     one request, after two rounds without a byte, where nothing has ever arrived

The times cover meters that send every 10 s. Bytes that no decoder understands may look like those of another speed,
which comes next then. A port begins with what was found there before. Nothing is ever sent to a meter that sends by
itself: the light may turn a page of its display or disturb the entry of a PIN.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from iskra_server.sources.asking import PluggedPort
from iskra_server.sources.errors import SourceError
from iskra_server.sources.polled import START_BAUD, poll_d0
from iskra_server.sources.port_memory import FoundMeter, PortMemory, learned, polled
from iskra_server.sources.ports import stable_name
from iskra_server.sources.probe import PortProbe
from iskra_server.sources.recogniser import MAX_BYTES, Recogniser
from iskra_server.sources.reconnect import Line, Report
from iskra_server.sources.serial import SerialLine, open_serial
from iskra_server.sources.source import LineSettings, OnUnrecognised, SourceState, ignore_unrecognised
from iskra_server.sources.source_options import SourceOptions
from iskra_server.sources.suggested_settings import suggested_settings
from iskra_server.sources.watched_line import PATIENCE_S, WatchedLine

if TYPE_CHECKING:
    from iskra_server.codecs.d0.speeds import Learned


class Window(Struct, frozen=True):
    """How long to listen with which settings."""

    settings: LineSettings
    seconds: float


ROUND = (
    Window(LineSettings(9600), 6.0),
    Window(LineSettings(115_200), 11.0),
    Window(LineSettings(2400, "8E1"), 11.0),
    Window(LineSettings(38_400), 6.0),
)
SILENT_ROUNDS = 2
# of the time of a window, where a meter was found before
_PERIODS = 2
# the speeds at which each protocol is sent unasked, the usual one first
_SPOKEN_AT = {"sml": (9600,), "p1": (115_200, 9600), "d0": (9600,), "dlms": (9600, 115_200, 2400, 38_400)}
_TEXT = frozenset(("p1", "d0"))
# the bytes of a meter at 9600 baud come within a second; a telegram that has begun may end
_QUIET_S = 0.5
_MAX_LONGER_S = 3.0
# more than the longest telegram of SML has between two marks
_MAX_NOISE = 1024
# at most so many wake-ups a second while bytes arrive
_PAUSE_S = 0.02
# a known meter that was left in programming mode ignores requests for a minute
_KNOWN_S = 65.0
# of those that the user wants rarely, before a meter is given up
_PATIENT_POLLS = 3

log = logging.getLogger("iskra_server.sources")


class SearchedPort(Struct, frozen=True):
    """Which port is searched, and how. `is_open` is what the reported states say of it."""

    port: PluggedPort
    memory: PortMemory
    options: SourceOptions = SourceOptions()
    windows: tuple[Window, ...] = ROUND
    is_open: bool = True
    on_unrecognised: OnUnrecognised = ignore_unrecognised


class Search:
    """One per opened port. `report` gets its state at each step."""

    def __init__(self, line: SerialLine, searched: SearchedPort, report: Report) -> None:
        self._line = line
        self._searched = searched
        self._report = report
        self._options = searched.options
        self._asking = searched.port.asking
        self._windows = _narrowed(searched.windows, self._options.protocol)
        self._name = stable_name(line.port)
        self._remembered = searched.memory.recall(self._name)
        self._probe = PortProbe(line)
        self._has_listened = False
        # what the bytes of the last window look like, unless this round has tried it
        self._suggested: LineSettings | None = None
        self._tried: set[LineSettings] = set()

    async def run(self) -> Line:
        """The line of the meter, which gives its bytes again. Raises SourceError where the port is lost."""
        return await self._known() or await self._search()

    async def _known(self) -> Line | None:
        """Begin with what was found on this port before."""
        known = self._remembered
        if known is None:
            return None
        if not known.is_polled:
            usual_s = max(window.seconds for window in self._windows)
            seconds = next((each.seconds for each in self._windows if each.settings == known.settings), usual_s)
            found = await self._listen(Window(known.settings, _PERIODS * seconds), is_known=True)
            return self._line if found else None
        # perhaps another meter is there, which sends by itself: ports change their names, heads their places
        if await self._listen(self._windows[0]):
            return self._line
        return await self._ask(learned(known), _KNOWN_S) if self._may_ask() and not self._probe.total else None

    async def _search(self) -> Line:
        silent_rounds = 0
        while True:
            before = self._probe.total
            for window in self._round():
                if await self._listen(window):
                    return self._line
            silent_rounds = silent_rounds + 1 if self._probe.total == before else 0
            is_due = silent_rounds >= SILENT_ROUNDS and time.monotonic() >= self._asking.next_s
            if is_due and self._may_ask() and (asked := await self._ask()):
                return asked

    def _may_ask(self) -> bool:
        """Where no byte has arrived, no meter was seen that sends by itself, and the user allows it."""
        is_allowed = not self._options.listen_only and self._options.protocol in ("", "d0")
        return is_allowed and not self._has_sent_unasked

    @property
    def _has_sent_unasked(self) -> bool:
        """Also before this start; one byte counts, because the light may disturb a meter that sends by itself."""
        known = self._remembered
        return not known.is_polled if known else self._asking.has_heard

    def _round(self) -> Iterator[Window]:
        """The windows of a round; settings that the bytes suggest come at once, each of them once in a round."""
        self._tried.clear()
        for window in self._windows:
            self._suggested = None
            yield window
            while self._suggested is not None:
                suggested, self._suggested = self._suggested, None
                self._tried.add(suggested)
                yield Window(suggested, self._windows[0].seconds)

    async def _listen(self, window: Window, *, is_known: bool = False) -> bool:
        """Whether a meter is heard; then the line gives its bytes again.

        Ends early when a burst of bytes has nothing of a telegram, or looks like another speed, and at once where the
        adapter refuses the settings. Raises SourceError.
        """
        try:
            self._line.configure(window.settings)
        except SourceError:
            # not every adapter has every speed; one that was unplugged does not get the usual one either
            if window.settings == LineSettings():
                raise
            return False
        self._probe.begin(window.settings)
        self._report_state(window.settings)
        recogniser, is_found = Recogniser(), False
        try:
            is_found = await self._is_heard(window, recogniser, is_known=is_known)
        finally:
            if not is_found:
                self._hand_over(window.settings, recogniser.data)
        return is_found

    async def _is_heard(self, window: Window, recogniser: Recogniser, *, is_known: bool) -> bool:
        end_s = time.monotonic() + window.seconds
        last_s = end_s + _MAX_LONGER_S
        while True:
            until_s = min(end_s, time.monotonic() + _QUIET_S) if recogniser.data else end_s
            data = await self._line.read_until(until_s)
            now_s = time.monotonic()
            if data:
                self._asking.has_heard = True
                # what the recogniser is about to drop
                self._hand_over(
                    window.settings, recogniser.data[: max(len(recogniser.data) + len(data) - MAX_BYTES, 0)]
                )
                if self._is_found(recogniser, data):
                    self._note_found(recogniser, window.settings)
                    return True
                self._probe.add(data)
                self._report_state(window.settings)
                await asyncio.sleep(_PAUSE_S)
                if recogniser.has_marks:
                    end_s = max(end_s, min(now_s + _QUIET_S, last_s))
            is_burst = bool(recogniser.data) and (not data or len(recogniser.data) >= _MAX_NOISE)
            if not is_known and self._is_elsewhere(recogniser, window.settings, is_burst=is_burst):
                break
            if now_s >= end_s:
                break
        self._has_listened = True
        return False

    def _is_elsewhere(self, recogniser: Recogniser, settings: LineSettings, *, is_burst: bool) -> bool:
        """Whether bytes look like another speed, or a whole burst of them has nothing of a telegram."""
        if recogniser.begun:
            return False
        is_nothing = is_burst and not recogniser.has_marks
        suggested = suggested_settings(recogniser.data, settings)
        if is_nothing and settings.format == "8E1":
            # a few meters send at this speed without a parity bit, and old ones text of seven bits
            suggested = suggested or LineSettings(settings.baud)
        if suggested and suggested not in self._tried:
            self._suggested = suggested
            return True
        return is_nothing

    def _is_found(self, recogniser: Recogniser, data: bytes) -> bool:
        protocol = recogniser.feed(data)
        wanted = self._options.protocol
        return bool(protocol) and (wanted in ("", protocol) or {wanted, protocol} == _TEXT)

    def _note_found(self, recogniser: Recogniser, settings: LineSettings) -> None:
        self._line.put_back(recogniser.data)
        self._line.protocol = recogniser.protocol
        self._remember(FoundMeter(recogniser.protocol, settings.baud, settings.format))

    async def _ask(self, settings: "Learned | None" = None, patience_s: float = 0.0) -> Line | None:
        """The line of a meter that answers a request; None without an answer within `patience_s`."""
        self._report_state(LineSettings(START_BAUD))
        line = poll_d0(
            self._line,
            address=self._options.address,
            interval_s=self._options.poll_s,
            learned=settings,
            on_learned=lambda new: self._remember(polled(new)),
        )
        try:
            has_answered = await line.ask(patience_s)
        except BaseException:
            await line.close()
            raise
        if has_answered:
            if settings is None:
                self._remember(polled())
            self._asking.has_answered, self._asking.outcome = True, ""
            return WatchedLine(line, PATIENCE_S + _PATIENT_POLLS * (self._options.poll_s or 0.0))
        self._asking.has_heard |= line.was_unasked
        self._asking.note(line.state().poll, time.monotonic())
        self._hand_over(LineSettings(START_BAUD), line.release())
        return None

    def _hand_over(self, settings: LineSettings, data: bytes) -> None:
        if data:
            self._searched.on_unrecognised(self._line.port, settings, data)

    def _remember(self, found: FoundMeter) -> None:
        if found.protocol != (self._remembered and self._remembered.protocol):
            how = "is asked" if found.is_polled else f"at {found.settings}"
            log.info("%s: found a meter that speaks %s, %s.", self._line.port, found.protocol.upper(), how)
        self._remembered = found
        self._searched.memory.remember(self._name, found)

    def _report_state(self, settings: LineSettings) -> None:
        probe = self._probe
        problem = "noise" if probe.total else "silence" if self._has_listened else None
        details = {"port": self._line.port, "bytes": str(probe.total)} if problem else {}
        state = SourceState(
            port=self._line.port,
            is_open=self._searched.is_open,
            problem=problem,
            details=details,
            probe=probe.received(),
            line=settings,
            protocol=self._options.protocol,
            poll="not_asked" if problem == "silence" and self._has_sent_unasked else self._asking.outcome,
        )
        self._report(state)


async def find_meter(searched: SearchedPort, report: Report) -> Line:
    """Open a port and search it. Raises SourceError."""
    line = await open_serial(searched.port.path)
    try:
        return await Search(line, searched, report).run()
    except BaseException:
        await line.close()
        raise


def _narrowed(windows: tuple[Window, ...], protocol: str) -> tuple[Window, ...]:
    """The windows in which a protocol can be heard, the usual one first."""
    if not protocol:
        return windows
    speeds = _SPOKEN_AT[protocol]
    return tuple(window for speed in speeds for window in windows if window.settings.baud == speed)
