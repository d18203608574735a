"""The ways into Home Assistant, side by side in a real one: what they need, and what each shows in nine outages.

    python bench/homeassistant_ways.py [--release 2025.4.4]        about six minutes, as root

The home of tests/homeassistant: a meter, a server and a broker on one machine, Home Assistant on another, with the
RESTful sensor of the documentation, the entities by MQTT and our integration at once. The app is the same server with
the same MQTT, whose broker comes from the Supervisor. Each outage is timed from its begin until no old value is shown
as current, and from its end until the display of the meter is shown; during it the meter counts on. Any other value
than the meter's display is an error, with exit status 1. Prints the table of docs/home-assistant.md.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from homeassistant import forms, release
from homeassistant.entities import BY_MQTT, BY_OURS, BY_REST
from homeassistant.home import PORT, TOTAL, Home, home
from homeassistant.instance import EVERY_S, NUMBER, HomeAssistant
from homeassistant.meter import LOCKED, UNLOCKED
from homeassistant.network import PI_NAME
from test_docs import DOCS, blocks

# the pace of the documentation
SCAN_INTERVAL_S = 10
WITHIN_S = 180.0
# how long an outage goes on after every way has noticed it
GOES_ON_S = 5.0
APP, OURS, MQTT, REST = "App", "Integration", "MQTT", "RESTful sensor"
MEASURED = {OURS: BY_OURS, MQTT: BY_MQTT, REST: BY_REST}
# steps that somebody takes, lines that he types: docs/home-assistant.md
STEPS = {
    APP: ("add the repository, install, start", 0),
    OURS: ("copy or HACS, restart, confirm what was found", 0),
    MQTT: ("broker and its integration, one setting of the server", 1),
    REST: ("copy the YAML, restart", len(blocks(DOCS / "home-assistant.md", "yaml")[0].strip().splitlines())),
}


class Ways:
    """The totals in one Home Assistant, by way."""

    def __init__(self, house: Home) -> None:
        self.house = house
        (self.assistant,) = house.assistants
        self.wrong: list[str] = []

    def shown(self) -> dict[str, str]:
        """The state of each total, "missing" without an entity; asked on its machine, whose network may be cut."""
        states = {state["entity_id"]: state for state in self.assistant.ask("get_states")}
        ids = {way: self._entity(way) for way in MEASURED}
        return {way: states[entity]["state"] if entity in states else "missing" for way, entity in ids.items()}

    def _entity(self, way: str) -> str:
        if way == REST:
            return TOTAL
        meter = self.house.meter
        unique = f"{meter.id if way == OURS else f'iskra_{meter.server_id}'}_energy_import"
        return self.assistant.entities(MEASURED[way]).get(unique, "")

    def seconds(
        self, until: Callable[[str], bool], *, of: tuple[str, ...] = tuple(MEASURED)
    ) -> dict[str, float | None]:
        """How long it takes until the state of each way is like that; None where it is not within WITHIN_S."""
        begin, found = time.monotonic(), dict[str, float | None]()
        while len(found) < len(of) and time.monotonic() - begin < WITHIN_S:
            for way, state in self.shown().items():
                self.check(way, state)
                if way in of and way not in found and until(state):
                    found[way] = time.monotonic() - begin
            time.sleep(EVERY_S)
        return {way: found.get(way) for way in of}

    def check(self, way: str, state: str) -> None:
        """A number is one that the meter has told, locked its whole kWh."""
        told = set[Decimal]().union(*self.house.meter.lives)
        told |= {value.to_integral_value(ROUND_FLOOR) for value in told}
        if NUMBER.fullmatch(state) and Decimal(state) not in told:
            self.wrong.append(f"{way} showed {state}")

    def is_right(self, state: str) -> bool:
        return bool(NUMBER.fullmatch(state)) and Decimal(state) == self.house.meter.kwh


def is_gone(state: str) -> bool:
    return not NUMBER.fullmatch(state)


Outage = Callable[[Ways], Iterator[None]]


def server_killed(ways: Ways) -> Iterator[None]:
    ways.house.kill_server()
    yield
    ways.house.start_server()


def server_stopped(ways: Ways) -> Iterator[None]:
    ways.house.stop_server()
    yield
    ways.house.start_server()


def broker_gone(ways: Ways) -> Iterator[None]:
    """With everything that it had kept."""
    ways.house.broker.kill()
    yield
    ways.house.broker.start()


def meter_silent(ways: Ways) -> Iterator[None]:
    ways.house.meter.is_silent = True
    yield
    ways.house.meter.is_silent = False


def meter_locked(ways: Ways) -> Iterator[None]:
    """Whole kWh, and the next of them at once."""
    ways.house.meter.imported += 10_000 - ways.house.meter.imported % 10_000
    ways.house.meter.profile = LOCKED
    yield
    ways.house.meter.profile = UNLOCKED


def network_cut(ways: Ways) -> Iterator[None]:
    ways.house.network.cut()
    yield
    ways.house.network.mend()


def home_assistant_restarted(ways: Ways) -> Iterator[None]:
    ways.assistant.stop()
    yield
    ways.assistant.start()


def home_assistant_first(ways: Ways) -> Iterator[None]:
    """A power cut: the server starts last."""
    ways.house.stop_server()
    ways.assistant.stop()
    ways.assistant.start()
    yield
    ways.house.start_server()


def meter_replaced(ways: Ways) -> Iterator[None]:
    ways.house.meter.is_silent = True
    yield
    ways.house.meter.replace(imported=3)
    ways.house.meter.is_silent = False


OUTAGES = {
    "Server crashes": server_killed,
    "Server is stopped": server_stopped,
    "Broker restarts and has lost everything": broker_gone,
    "Meter falls silent (stale after 5 s)": meter_silent,
    "Meter locks itself (whole kWh)": meter_locked,
    "Network is cut": network_cut,
    "Home Assistant restarts": home_assistant_restarted,
    "Home Assistant starts before the server": home_assistant_first,
    "Meter is replaced": meter_replaced,
}
# the ways that need not notice it: the server, or the broker, is no matter of theirs
UNTOUCHED: dict[Outage, tuple[str, ...]] = {broker_gone: (OURS, REST), meter_locked: tuple(MEASURED)}


def first_values(ways: Ways) -> dict[str, float | None]:
    """From the moment at which a person has done the last step, with everything else running."""
    house, assistant = ways.house, ways.assistant
    found = dict[str, float | None]()
    begin = time.monotonic()
    forms.set_options(assistant, forms.add(assistant, host=PI_NAME, port=PORT), update_every_s=0)
    until_right(ways, OURS)
    found[OURS] = time.monotonic() - begin
    begin = time.monotonic()
    assistant.add_mqtt(PI_NAME, house.broker.port)
    until_right(ways, MQTT)
    found[MQTT] = found[APP] = time.monotonic() - begin
    assistant.configure(*yaml())
    begin = time.monotonic()
    assistant.restart()
    until_right(ways, REST)
    found[REST] = time.monotonic() - begin
    return found


def until_right(ways: Ways, way: str) -> None:
    assert ways.seconds(ways.is_right, of=(way,))[way] is not None, f"{way} shows nothing"


def yaml() -> list[str]:
    """That of the documentation for the total."""
    return [text for text in blocks(DOCS / "home-assistant.md", "yaml") if "cumulated" in text][:1]


def outage(ways: Ways, happens: Outage) -> dict[str, str]:
    """What each way shows: seconds until it says that there is nothing, and from the end until it is right."""
    untouched = UNTOUCHED.get(happens, ())
    run = happens(ways)
    next(run)
    noticing = tuple(way for way in MEASURED if way not in untouched)
    # a Home Assistant that is stopped shows nothing
    gone = ways.seconds(is_gone, of=noticing) if happens is not home_assistant_restarted else {}
    ways.house.meter.imported += 12
    time.sleep(GOES_ON_S)
    for _ in run:
        pass
    back = ways.seconds(ways.is_right)
    return {way: f"{'stays' if way not in gone else shown(gone[way])} / {shown(back[way])}" for way in MEASURED}


def shown(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s"


@contextmanager
def prepared(version: str) -> Iterator[Ways]:
    wanted = next(one for several in release.SETS.values() for one in several if one.version == version)
    release.install(wanted)
    with tempfile.TemporaryDirectory() as folder, home(Path(folder), [wanted]) as house:
        house.meter.profile = UNLOCKED
        house.broker.start()
        house.start_server()
        house.everywhere(HomeAssistant.start)
        yield Ways(house)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="2025.4.4")
    with prepared(parser.parse_args().release) as ways:
        firsts = first_values(ways)
        lines = {name: outage(ways, happens) for name, happens in OUTAGES.items()}
        wrong = ways.wrong
    order = (APP, OURS, MQTT, REST)
    print(f"| | {' | '.join(order)} |\n| --- |{' --- |' * len(order)}")
    print(f"| Steps | {' | '.join(STEPS[way][0] for way in order)} |")
    print(f"| Lines typed | {' | '.join(str(STEPS[way][1]) for way in order)} |")
    print(f"| Seconds from the last step to the first value | {' | '.join(shown(firsts[way]) for way in order)} |")
    for name, line in lines.items():
        print(f"| {name} | {' | '.join(line[MQTT if way == APP else way] for way in order)} |")
    if wrong:
        sys.exit("; ".join(wrong))


if __name__ == "__main__":
    main()
