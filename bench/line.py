"""A meter on a 9600-baud line: a telegram a second, in pieces of 16 bytes as a USB adapter hands them over."""

import threading
import time

from iskra_server.simulator.simulated_source import telegrams
from running import Head

PERIOD_S = 1.0
PIECE = 16
WIRE_S = 10 / 9600


class Line:
    """Feeds all heads alike while it is entered. `sent` is when each telegram began and ended (monotonic)."""

    def __init__(self, *heads: Head) -> None:
        self.sent: list[tuple[float, float]] = []
        self._heads = heads
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="line")

    def __enter__(self) -> "Line":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _feed(self) -> None:
        due = time.monotonic()
        for data in telegrams():
            began = time.monotonic()
            self._send(data, began)
            self.sent.append((began, time.monotonic()))
            due += PERIOD_S
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return

    def _send(self, data: bytes, began: float) -> None:
        for at in range(0, len(data), PIECE):
            time.sleep(max(0.0, began + at * WIRE_S - time.monotonic()))
            for head in self._heads:
                head.send(data[at : at + PIECE])
