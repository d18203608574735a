"""Meters in front of an infrared head: what the test wants is said twice a second, until the meter falls silent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from iskra_server.simulator.household import TENTH_WH, State
from iskra_server.simulator.line import Terminal
from iskra_server.simulator.simulated_meter import FIRST_SERIAL
from iskra_server.simulator.sml_layouts import LAYOUTS
from iskra_server.simulator.sml_telegram import plate, telegram

EVERY_S = 0.5
TENTH_WH_IN_KWH = -4
LOCKED, UNLOCKED = "MT175-locked", "MT175"


class Meter:
    """`drawn` and `fed_in` are its counters in 0.1 Wh. `lives` are the totals in kWh that each meter has told."""

    def __init__(self, imported: int, exported: int, profile: str) -> None:
        self.imported = imported
        self.exported = exported
        self.lives: list[set[Decimal]] = [set()]
        self.profile = profile
        self.is_silent = False
        self._terminal = Terminal()
        self._terminal.open()
        self._telling = threading.Lock()
        self._is_over = threading.Event()
        self._seconds = 1_000_000
        self._thread = threading.Thread(target=self._repeat)
        self._thread.start()

    @property
    def port(self) -> str:
        return self._terminal.path

    @property
    def kwh(self) -> Decimal:
        """The total as its display shows it."""
        return Decimal(self.imported).scaleb(TENTH_WH_IN_KWH)

    @property
    def id(self) -> str:
        """As in a unique id: the label in lower case, without spaces."""
        return f"1isk00{FIRST_SERIAL + len(self.lives)}"

    @property
    def server_id(self) -> str:
        """In hex, as in the topics."""
        return plate(LAYOUTS[self.profile], FIRST_SERIAL + len(self.lives)).server_id.hex()

    def replace(self, imported: int) -> None:
        """Another meter hangs on the wall."""
        with self._telling:
            self.lives.append(set())
            self.imported, self.exported = imported, 0

    def end(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._terminal.close()

    def _repeat(self) -> None:
        while not self._is_over.wait(EVERY_S):
            self._seconds += 1
            with self._telling:
                if not self.is_silent:
                    self._terminal.write(self._telegram())
                    self.lives[-1].add(self.kwh)

    def _telegram(self) -> bytes:
        layout = LAYOUTS[self.profile]
        state = State(self._seconds, (230_000, -100_000, 71_000), self.imported * TENTH_WH, self.exported * TENTH_WH, 0)
        return telegram(layout, plate(layout, FIRST_SERIAL + len(self.lives)), state, self._seconds, self._seconds)


@contextmanager
def meter(imported: int, exported: int, profile: str) -> Iterator[Meter]:
    made = Meter(imported, exported, profile)
    try:
        yield made
    finally:
        made.end()
