"""Seconds from plugging in to the first value of a D0 meter that waits for requests: a MT174 with a full list.

A pseudo-terminal in real time, 300 baud at first; the port is polled as with ?protocol=d0. Takes some minutes.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from d0meter import d0_pty, meter
from iskra_server.codecs.d0.speeds import Learned
from iskra_server.meter.reading import Reading
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources.polled import d0_source
from sources.polling import messages
from sources.ptys import Heard, listening, until

IDENT = "ISk5MT174-0001"
_DEADLINE_S = 900.0
_HISTORY = 15


def full_list() -> list[str]:
    """As long as that of a MT174: 343 lines, 9.5 KB."""
    codes = [f"1-0:{quantity}.8.{tariff}" for quantity in range(1, 5) for tariff in range(5)]
    lines = [
        "1-0:0.9.1*255(201455)",
        "1-0:0.9.2*255(0261122)",
        "1-0:0.0.1*255(1ISK0063000199)",
        "1-0:1.7.0*255(0.908*kW)",
    ]
    for code in codes:
        lines.append(f"{code}*255(0008048.375*kWh)")
        lines += [f"{code}*{month:02}(0007987.399*kWh)" for month in range(1, _HISTORY + 1)]
    return [*lines, *(f"0-0:C.51.{number}*255(0000012345)" for number in range(343 - len(lines)))]


class Case(NamedTuple):
    name: str
    wire: Callable[[], D0Wire]
    learned: Learned | None = None


def _wire(gap_s: float = 0.2, **options: object) -> D0Wire:
    return D0Wire([meter(IDENT, full_list(), gap_s=gap_s)], **options)  # type: ignore[arg-type]


def _left_in_programming_mode() -> D0Wire:
    wire = _wire()
    wire.meters[0].is_programming, wire.meters[0].baud, wire.meters[0].touched_s = True, 9600, time.monotonic()
    return wire


def _lossy() -> D0Wire:
    wire = _wire()
    losses = [5000]

    def lose(message: bytes) -> bytes:
        at = losses.pop() if losses and len(message) > losses[0] else len(message)
        return message[:at] + message[at + 1 :]

    wire.meters[0].damage = lose
    return wire


CASES = (
    Case("short list of 15 lines", lambda: D0Wire([meter()])),
    Case("full list", _wire),
    Case("full list, echo", lambda: _wire(is_echoed=True)),
    Case("full list, the meter answers 30 ms after the request for 9600 baud", lambda: _wire(gap_s=0.03)),
    Case("full list, that delay remembered", lambda: _wire(gap_s=0.03), Learned("5", 0.015)),
    Case("full list, a character of the first one lost", _lossy),
    Case("left in programming mode by a reader that was killed", _left_in_programming_mode, Learned("5")),
)


def _has_reading(heard: Heard) -> bool:
    return any(isinstance(result, Reading) for chunk in heard.chunks for result in chunk.results or ())


async def measure(case: Case) -> None:
    wire = case.wire()
    async with d0_pty(wire) as path:
        source = d0_source(path, path, learned=lambda: case.learned)
        began_s = time.monotonic()
        async with listening(source) as heard:
            await until(lambda: _has_reading(heard), _DEADLINE_S)
            took_s = time.monotonic() - began_s
    sent = " ".join(message.decode().strip() for message in messages(wire))
    print(f"{took_s:6.1f} s  {case.name}: {sent!r}", flush=True)


if __name__ == "__main__":
    for case in CASES:
        asyncio.run(measure(case))
