"""A home whose Home Assistants miss hours of the past: their clocks are back, the meter counts as it is told to.

What the meter showed at each quarter-hour of that time is written into the server's history, and at the end the server
that has it is asked by the command, as a user would run it.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import other_clock
from homeassistant import forms, network, release
from homeassistant.entities import are_right, served
from homeassistant.home import PORT, Home, home
from homeassistant.instance import EVERY_S, STOP_S, HomeAssistant
from homeassistant.meter import UNLOCKED
from homeassistant.network import PI_NAME
from iskra_server.history.model.records import Exact, MeterInfo, PowerQuarter, QuarterReading, Record
from iskra_server.history.store.location import database_address
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.simulator.simulated_meter import FIRST_SERIAL
from running import COMMAND, until

SOON_S = 120.0
QUARTER_S = 900
HOUR_S = 3600
BEGIN = 123_450_000
# in the last quarter of an hour: what is shown then is right at its end; and behind its end, when it is compiled
LATE, JUST_BEHIND = 50 / 60, 7 / 3600
Rows = dict[int, dict[str, Any]]


def quarter_hour(place: int) -> int:
    """What is used in a quarter-hour, in 0.1 Wh: a different amount in each, so that no hour is like the next."""
    return 3 + place * 7 % 11 + (place // 4) % 5


class Missing:
    """`begin` is a full hour in the past, from which on the meter was read."""

    def __init__(self, built: Home, folder: Path, begin: datetime) -> None:
        self.home = built
        self.begin_s = int(begin.timestamp())
        # what the server keeps, with its id, by which the integration knows it
        self.data = folder / "server"
        self.folder = folder

    def imported(self, second: int) -> int:
        """What the meter shows at a moment, in 0.1 Wh: within a quarter-hour it counts steadily."""
        place, rest = divmod(second - self.begin_s, QUARTER_S)
        return BEGIN + sum(map(quarter_hour, range(place))) + quarter_hour(place) * rest // QUARTER_S

    def kwh(self, second: int) -> Decimal:
        return Decimal(self.imported(second)).scaleb(-4)

    def watts(self, hour: int) -> dict[str, float]:
        """Power in an hour, as its statistics have it."""
        quarters = [self.power(place) for place in range(hour * 4, hour * 4 + 4)]
        lowest, highest = min(low for low, _, _ in quarters), max(high for _, _, high in quarters)
        mean = sum(mean for _, mean, _ in quarters) / len(quarters)
        return {"min": lowest / 1000, "mean": mean / 1000, "max": highest / 1000}

    def power(self, place: int) -> tuple[int, int, int]:
        """Lowest, mean and highest in a quarter-hour, in mW; 0.1 Wh in it are 0.4 W."""
        mean_mw = quarter_hour(place) * 400
        return mean_mw - 1000, mean_mw, mean_mw + 2000

    def moment(self, hours: float) -> datetime:
        return datetime.fromtimestamp(self.begin_s + hours * HOUR_S, UTC)

    def set_clocks(self, hours: float) -> None:
        """Put the meter, and the clocks of the Home Assistants that are started next, at this time after the begin."""
        self.home.meter.imported = self.imported(int(self.begin_s + hours * HOUR_S))
        for assistant in self.home.assistants:
            assistant.clock = self.moment(hours) - datetime.now(UTC)

    def start(self, hours: float) -> None:
        """Start every Home Assistant at this time, and wait until it shows the meter."""
        self.set_clocks(hours)
        self.home.everywhere(HomeAssistant.start)
        self.shows()

    def shows(self) -> None:
        are_right(self.home, SOON_S)
        for assistant in self.home.assistants:
            if assistant.has_ours:
                assistant.wait_for(self.ours(assistant), self.home.meter.kwh, SOON_S)

    def ours(self, assistant: HomeAssistant, name: str = "energy_import") -> str:
        """The sensor of the integration."""
        return assistant.entities("iskra_server")[f"{self.home.meter.id}_{name}"]

    def button(self, assistant: HomeAssistant) -> str:
        """The one that fills gaps, once the integration has found the server again."""
        (button,) = (
            entity for unique, entity in assistant.entities("iskra_server").items() if unique.endswith("_fill_gaps")
        )
        until(lambda: assistant.state(button) not in (None, "unavailable"), SOON_S, EVERY_S)
        return button

    def end_hour(self, hour: int) -> None:
        """Restart every Home Assistant behind the end of this hour, so that the hour is whole."""
        self.home.everywhere(HomeAssistant.stop)
        self.start(hour + 1 + JUST_BEHIND)

    def record(self, hours: int) -> None:
        """Write the history of the server, of so many hours from the begin on, and start it with that."""
        self.home.stop_server()
        where = database_address(str(self.data), "")
        store = Store(where)
        try:
            self.write(store, hours)
        finally:
            store.close()
        self.home.start_server(HISTORY_ENABLED="true", DATA_DIR=str(self.data))
        # the command asks it for its meters
        until(lambda: served(self.home), SOON_S)

    def write(self, store: Store, hours: int) -> None:
        store.write(self.records(hours), [self.info()])

    def info(self) -> MeterInfo:
        return MeterInfo(
            f"1 ISK 00 {FIRST_SERIAL + 1}", self.home.meter.server_id, False, self.begin_s, self.begin_s + HOUR_S
        )

    def records(self, hours: int) -> Iterator[Record]:
        meter_id = self.info().meter_id
        for place in range(hours * 4 + 1):
            second = self.begin_s + place * QUARTER_S
            quarter = second // QUARTER_S
            yield QuarterReading(meter_id, IMPORT, quarter, Exact(self.imported(second), -1), "measured")
            yield QuarterReading(meter_id, EXPORT, quarter, Exact(self.home.meter.exported, -1), "measured")
            yield PowerQuarter(meter_id, quarter, *self.power(place), 900)

    def run(self, assistant: HomeAssistant, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`iskra-server homeassistant backfill` on the server's machine, for this Home Assistant."""
        token = self.folder / f"token-{assistant.version}"
        if not token.exists():
            token.write_text(assistant.ask("auth/long_lived_access_token", client_name="backfill", lifespan=9) + "\n")
        return subprocess.run(
            [
                # stepping into the machine leaves this folder
                *(
                    *self.home.pi.command,
                    "env",
                    "-C",
                    str(self.folder),
                    COMMAND,
                    "homeassistant",
                    "backfill",
                    "--tz",
                    "Europe/Berlin",
                ),
                *("--url", assistant.url, "--token-file", str(token), *arguments),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | {"IES_SERVER_HOST": self.home.pi.address, "IES_SERVER_PORT": str(PORT), "COLUMNS": "100"},
        )


def add_ours(assistant: HomeAssistant) -> None:
    if assistant.has_ours:
        entry = forms.add(assistant, host=PI_NAME, port=PORT)
        forms.set_options(assistant, entry, update_every_s=0)


def rows(assistant: HomeAssistant, statistic: str, period: str = "hour") -> Rows:
    """Every row of a statistic, by its beginning in Unix seconds, with the bar of the dashboard as `change`."""
    found = assistant.ask(
        "recorder/statistics_during_period",
        start_time="2020-01-01T00:00:00+00:00",
        statistic_ids=[statistic],
        period=period,
        types=["state", "sum", "change", "mean", "min", "max"],
    ).get(statistic, ())
    return {row.pop("start") // 1000: {key: row[key] for key in row if key != "end"} for row in found}


def wait_for_hour(assistant: HomeAssistant, statistic: str, start_s: int, within_s: float = STOP_S) -> None:
    """The statistics of the time before are made first."""
    until(lambda: start_s in rows(assistant, statistic), within_s, EVERY_S)


def fill_gaps(assistant: HomeAssistant, **data: object) -> dict[str, Any]:
    """What the service of the integration answers, by sensor."""
    given = {"domain": "iskra_server", "service": "fill_gaps", "service_data": data, "return_response": True}
    sensors: dict[str, Any] = assistant.ask("call_service", **given)["response"]["sensors"]
    return sensors


def undo_files(folder: Path) -> Sequence[Path]:
    return sorted(folder.glob("homeassistant-undo-*.json"))


def lacking() -> str | None:
    """Why there can be no such home here."""
    wanted = release.wanted()
    return network.missing() or other_clock.MISSING or next(filter(None, map(release.missing, wanted)), None)


@contextmanager
def missing(
    folder: Path, begin: datetime, *blocks: str, first: int = 0, kind: "type[Missing]" = Missing
) -> Iterator[Missing]:
    """Server, broker and one Home Assistant of each release, by MQTT; started in hour `first` after `begin`."""
    for wanted in release.wanted():
        release.install(wanted)
    with home(folder, release.wanted(), *blocks) as built:
        built.meter.profile = UNLOCKED
        made = kind(built, folder, begin)
        made.set_clocks(first + LATE)
        built.broker.start()
        built.start_server()
        built.everywhere(HomeAssistant.start)
        built.everywhere(lambda assistant: assistant.add_mqtt(PI_NAME, built.broker.port))
        built.everywhere(add_ours)
        made.shows()
        yield made


def full_hour(ago: timedelta) -> datetime:
    return (datetime.now(UTC) - ago).replace(minute=0, second=0, microsecond=0)
