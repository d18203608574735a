"""A server in the cellar, with contract and history: a meter of electricity with gas, water and heat on its M-Bus.

Its clock is set by a file, so that nobody waits for midnight.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import texts
from homeassistant.home import Home
from homeassistant.meter import EVERY_S
from iskra_server.history.model.records import Exact, MeterInfo, QuarterReading, quarter_of
from iskra_server.history.store.store import Store
from iskra_server.outputs.mqtt.period_totals import span_of
from other_clock import other_clock
from running import Server, serving
from samples import IMPORT

BASE_TOPIC = "cellar"
ZONE = ZoneInfo("Europe/Berlin")
PORT = 18082
PRICE = Decimal("0.3265")
# from the next day on
NEXT_PRICE = Decimal("0.2998")
NAME = texts.P1_ID
# what they showed when the month and the day began, and at the newest quarter; in Wh
MONTH_WH, TODAY_WH, NEWEST_WH = 1_900_000, 1_990_000, 1_999_000
READINGS = {"gas": "1569.646", "water": "321.5", "heat": "12.345"}
_CHANNELS = {"gas": ("003", "01569.646*m3"), "water": ("007", "00321.500*m3"), "heat": ("004", "00012.345*GJ")}
_LATE = timedelta(hours=23, minutes=50)


class AllMeters:
    """At a TCP port, as a serial line cannot be opened with a clock of one's own; a telegram twice a second.

    `import_kwh` is that of the first of its two tariffs; the second has 765.432 kWh.
    """

    def __init__(self, address: str) -> None:
        self.import_kwh = "001234.567"
        self.is_silent = False
        self._listening = socket.create_server((address, 0))
        self.url = f"tcp://{address}:{self._listening.getsockname()[1]}"
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def telegram(self) -> bytes:
        lines = [line for line in texts.p1_lines(import_kwh=self.import_kwh) if not line.startswith("0-1:")]
        for channel, (medium, (kind, value)) in enumerate(_CHANNELS.items(), start=1):
            name = texts.hex_text(device(medium))
            lines += [f"0-{channel}:24.1.0({kind})", f"0-{channel}:96.1.0({name})"]
            lines += [f"0-{channel}:24.2.1(261122100010W)({value})"]
        return texts.p1_telegram(lines)

    def _serve(self) -> None:
        with self._listening, suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                with client, suppress(OSError):
                    while not self._is_over.wait(EVERY_S):
                        if not self.is_silent:
                            client.sendall(self.telegram())


class Cellar:
    """`kwh` is what the meter shows; `server` runs between `start` and `end`."""

    server: Server

    def __init__(self, house: Home, folder: Path) -> None:
        self._house = house
        self._folder = folder
        self._clock = folder / "clock"
        self._stack, self._running = ExitStack(), ExitStack()
        self._midnight = span_of(datetime.now(UTC), ZONE).today
        self.meter = AllMeters(house.pi.address)
        self._stack.callback(self.meter.end)

    @property
    def next_day(self) -> datetime:
        return span_of(self._midnight, ZONE).end

    @property
    def kwh(self) -> Decimal:
        return Decimal(self.meter.import_kwh) + Decimal("765.432")

    def set_clock(self, since_midnight: timedelta) -> None:
        ahead = self._midnight + since_midnight - datetime.now(UTC)
        self._clock.write_text(f"{ahead.total_seconds():+.3f}\n")

    def start(self) -> None:
        """Ten minutes before midnight."""
        self.set_clock(_LATE)
        self._remember()
        self._serve()

    def restart(self, since_midnight: timedelta, import_kwh: str) -> None:
        """It is away until then, and counts on from its history. Threads that wait fail when the clock is set.

        The meter has counted meanwhile.
        """
        self._running.close()
        self.meter.import_kwh = import_kwh
        self.set_clock(since_midnight)
        self._serve()

    def _serve(self) -> None:
        config = self._folder / "iskra-server.toml"
        prices = {"2020-01-01": PRICE, f"{self.next_day.astimezone(ZONE):%Y-%m-%d}": NEXT_PRICE}
        contracts = (
            f"[[contracts]]\nbegins = {day}\nenergy_price = {price}\nfeed_in = 0.08\n" for day, price in prices.items()
        )
        config.write_text("".join(contracts))
        environ = {
            "IES_HISTORY_ENABLED": "true",
            "IES_HISTORY_FLUSH_S": "1",
            "IES_DATA_DIR": str(self._folder),
            "IES_CONFIG": str(config),
            "IES_SERVER_TIME_ZONE": ZONE.key,
            "IES_MQTT_URL": self._house.broker.url,
            "IES_MQTT_BASE_TOPIC": BASE_TOPIC,
            "IES_MQTT_COUNTERS_EVERY_S": "0",
            **other_clock(FAKETIME_TIMESTAMP_FILE=str(self._clock), FAKETIME_CACHE_DURATION="1"),
        }
        pi = self._house.pi
        running = serving("serve", self.meter.url, environ=environ, within=pi.command, address=pi.address, port=PORT)
        self.server = self._running.enter_context(running)

    def end(self) -> None:
        self._running.close()
        self._stack.close()

    def _remember(self) -> None:
        """History has read this meter since the month began, with a reading at each beginning."""
        span = span_of(self._midnight, ZONE)
        newest = quarter_of(self._midnight.timestamp()) + _LATE // timedelta(minutes=15)
        values = {span.quarters["month"]: MONTH_WH, span.quarters["today"]: TODAY_WH, newest: NEWEST_WH}
        store = Store(f"sqlite:///{self._folder / 'iskra.sqlite'}")
        readings = [QuarterReading(NAME, IMPORT, at, Exact(wh, 0), "measured", 0) for at, wh in values.items()]
        store.write(readings, [MeterInfo(NAME, NAME.encode().hex(), False, 0, 0)])
        store.close()


def device(medium: str) -> str:
    """What a sub-meter is called."""
    return {"gas": texts.GAS_ID, "water": "W0099000000000042", "heat": "H0099000000000077"}[medium]


@contextmanager
def cellar(house: Home, folder: Path) -> Iterator[Cellar]:
    made = Cellar(house, folder)
    try:
        made.start()
        yield made
    finally:
        made.end()
