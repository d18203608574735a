"""Meters that say what the test wants twice a second, until they fall silent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import texts
from iskra_server.simulator.household import TENTH_WH, State
from iskra_server.simulator.line import Terminal
from iskra_server.simulator.simulated_meter import FIRST_SERIAL
from iskra_server.simulator.sml_layouts import LAYOUTS
from iskra_server.simulator.sml_telegram import plate, telegram
from iskra_server.sources.source import LineSettings

EVERY_S = 0.5
TENTH_WH_IN_KWH = -4
FAST = LineSettings(115_200)
LOCKED, UNLOCKED = "MT175-locked", "MT175"


class Repeating:
    """A pseudo-terminal on which a telegram is repeated."""

    def __init__(self, line: LineSettings | None = None) -> None:
        self.is_silent = False
        self._terminal = Terminal(line)
        self._terminal.open()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._repeat)
        self._thread.start()

    @property
    def port(self) -> str:
        return self._terminal.path

    def telegram(self) -> bytes:
        raise NotImplementedError

    def end(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._terminal.close()

    def _repeat(self) -> None:
        while not self._is_over.wait(EVERY_S):
            if not self.is_silent:
                self._terminal.write(self.telegram())


class Meter(Repeating):
    """`imported` and `exported` are its counters in 0.1 Wh. `lives` are the totals in kWh that each meter has told."""

    def __init__(self, imported: int, exported: int, profile: str) -> None:
        self.imported = imported
        self.exported = exported
        self.lives: list[set[Decimal]] = [set()]
        self.profile = profile
        self._telling = threading.Lock()
        self._seconds = 1_000_000
        super().__init__()

    @property
    def kwh(self) -> Decimal:
        """The total as its display shows it."""
        return Decimal(self.imported).scaleb(TENTH_WH_IN_KWH)

    @property
    def label(self) -> str:
        """As on its front."""
        return f"1 ISK 00 {FIRST_SERIAL + len(self.lives)}"

    @property
    def id(self) -> str:
        """As in a unique id: the label in lower case, without spaces."""
        return self.label.replace(" ", "").lower()

    @property
    def server_id(self) -> str:
        """In hex, as in the topics."""
        return plate(LAYOUTS[self.profile], FIRST_SERIAL + len(self.lives)).server_id.hex()

    def replace(self, imported: int) -> None:
        """Another meter hangs on the wall."""
        with self._telling:
            self.lives.append(set())
            self.imported, self.exported = imported, 0

    def telegram(self) -> bytes:
        with self._telling:
            self._seconds += 1
            self.lives[-1].add(self.kwh)
            layout = LAYOUTS[self.profile]
            energy = (self.imported * TENTH_WH, self.exported * TENTH_WH)
            state = State(self._seconds, (230_000, -100_000, 71_000), *energy, 0)
            return telegram(layout, plate(layout, FIRST_SERIAL + len(self.lives)), state, self._seconds, self._seconds)


class DutchMeter(Repeating):
    """Three phases, two tariffs and a gas meter, all on one line."""

    def __init__(self) -> None:
        self.import_kwh = "001234.567"
        super().__init__(FAST)

    @property
    def url(self) -> str:
        return f"{self.port}?baud={FAST.baud}"

    def telegram(self) -> bytes:
        return texts.p1_telegram(texts.p1_lines(import_kwh=self.import_kwh))


@contextmanager
def meter(imported: int, exported: int, profile: str) -> Iterator[Meter]:
    made = Meter(imported, exported, profile)
    try:
        yield made
    finally:
        made.end()
