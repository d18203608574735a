"""How well batteries that follow each emulated device keep a household at zero, beside a script and its poll of 10 s.

    python bench/battery_loop.py [--speed N] [--only WORD ...] [--meters S ...] [--waits S ...]

Household, meter, batteries and scenario are those of tests/control_loop; server and sockets are real. Each line is a
run of 200 s: a load that rises by 800 W and falls again, then a gap of 60 s without telegrams. At speed 5 a run takes
40 s, and all periods of meter, battery and server are a fifth. Three runs share the machine at a time.
"""

import argparse
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from msgspec import Struct
from msgspec.structs import replace

from control_loop.batteries import B2500, HOYMILES, HOYMILES_DAMPED, JUPITER, JUPITER_ECOTRACKER, VENUS, VENUS_D, Model
from control_loop.devices import ECOTRACKER, METERS_API, SHELLY_HTTP, SHELLY_UDP, SHELLY_WEBSOCKET, Device
from control_loop.scenario import Report, scenario

SPEED = 5.0
TOGETHER = 3
INTERVALS_S = (1.0, 2.0, 10.0)
WAITS_S = (0.0, 1.0, 2.0)
SCRIPT = replace(VENUS_D, name="script, 10 s", poll_s=10.0)
# with two, each is shown half
PAIRS = ((ECOTRACKER, VENUS_D, 1), (ECOTRACKER, VENUS_D, 2), (SHELLY_UDP, VENUS, 2))
# a meter that sends every ten seconds: answers of two seconds show a fifth of the error
SHARES = ((ECOTRACKER, VENUS_D, 5), (SHELLY_UDP, B2500, 5))
SLOW_S = 5.0
FOLLOWERS = (
    (ECOTRACKER, (VENUS, VENUS_D, JUPITER_ECOTRACKER)),
    (SHELLY_UDP, (VENUS, VENUS_D, B2500, JUPITER)),
    (SHELLY_HTTP, (VENUS_D,)),
    (SHELLY_WEBSOCKET, (HOYMILES, HOYMILES_DAMPED)),
)
HEAD = """\
                                       meter wait|  800 W up: 60 s            last half    |  back | gap of 60 s
device            battery                  s    s|  mean   over settled   swing crossings|settled|wrong beyond stopped
                                                 |     W      W       s       W          |      s|   Wh     Wh       s\
"""


class Case(Struct, frozen=True):
    device: Device
    models: list[Model]
    interval_s: float
    wait_fresh_s: float
    batteries: int = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", type=float, default=SPEED)
    parser.add_argument("--only", nargs="*", default=[], help="words in the name of device or battery")
    parser.add_argument("--meters", nargs="*", type=float, default=INTERVALS_S, help="seconds between telegrams")
    parser.add_argument("--waits", nargs="*", type=float, default=WAITS_S, help="wait_fresh_s")
    options = parser.parse_args()
    # a server that is left behind would go on reading
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(HEAD)
    wanted = [
        case for case in cases(options.meters, options.waits) if all(word in title(case) for word in options.only)
    ]
    with ThreadPoolExecutor(TOGETHER) as threads:
        reports = threads.map(lambda case: measured(case, options.speed), wanted)
        for case, found in zip(wanted, reports, strict=True):
            print(line(case, found), flush=True)


def cases(intervals_s: list[float], waits_s: list[float]) -> Iterator[Case]:
    for interval_s in intervals_s:
        yield Case(METERS_API, [SCRIPT], interval_s, 0.0)
        for device, models in FOLLOWERS:
            for model in models:
                for wait_s in waits_s:
                    yield Case(device, [model], interval_s, wait_s)
        for device, model, batteries in PAIRS:
            for wait_s in waits_s:
                yield Case(device, [model, model], interval_s, wait_s, batteries)
        for device, model, batteries in SHARES if interval_s > SLOW_S else ():
            yield Case(device, [model], interval_s, 2.0, batteries)


def measured(case: Case, speed: float) -> Report:
    return scenario(
        [(case.device, model) for model in case.models],
        case.interval_s,
        speed,
        wait_fresh_s=case.wait_fresh_s,
        batteries=case.batteries,
    )


def title(case: Case) -> str:
    name = case.models[0].name
    name = name if len(case.models) == 1 else f"two {name}"
    shown = name if case.batteries == 1 else f"{name}, 1/{case.batteries} each"
    return f"{case.device.name:18}{shown:21}"


def line(case: Case, report: Report) -> str:
    up, down = report.up, report.down
    return (
        f"{title(case)}{case.interval_s:5.0f}{case.wait_fresh_s:5.0f}|"
        f"{up.mean_abs_w:6.0f} {up.overshoot_w:6.0f} {seconds(up.settled_s)} {up.amplitude_w:7.0f} {up.crossings:9}"
        f"|{seconds(down.settled_s)}|{report.gap_wrong_wh:5.1f} {report.beyond_wh:6.2f} {seconds(report.stopped_s)}"
    )


def seconds(value: float | None) -> str:
    return "  never" if value is None else f"{value:7.1f}"


if __name__ == "__main__":
    main()
