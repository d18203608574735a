"""A home: a meter, a machine named raspberrypi.local with server and broker, one for each release of Home Assistant."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from homeassistant.instance import HomeAssistant
from homeassistant.meter import LOCKED, Meter, meter
from homeassistant.network import PI_NAME, Network, network
from homeassistant.release import Release
from homeassistant.servers import Installed
from outputs.mqtt.broker import Mosquitto
from running import COMMAND, Server

PORT = 18080
URL = f"http://{PI_NAME}:{PORT}"
TOTAL, PINNED = "sensor.electricity_meter", "sensor.pinned_meter"
# in the unique ids of the RESTful sensors
OLD_METER = "1isk0010000001"
STALE_AFTER_S = 5
# what Home Assistant rightly says of a server or a broker that is not there, has no fresh reading, or wants a token
IS_AWAY = re.compile(
    r"Platform rest not ready yet|(?:Error|Timeout while) fetching data: http://raspberrypi\.local"
    r"|REST request to http://raspberrypi\.local\S* returned status 503 "
    r"|Disconnected from MQTT server|(?:Failed to connect to|Error returned from) MQTT server"
    r"|Error talking to MQTT: The client is not currently connected"
    r"|could not authenticate: A token is required"
)


class Home:
    """`server` is there between `start_server` and `stop_server`; the broker keeps nothing when it is stopped."""

    def __init__(
        self, *, network: Network, folder: Path, meter: Meter, broker: Mosquitto, assistants: Sequence[HomeAssistant]
    ) -> None:
        self.pi = network.pi
        self.network = network
        self.folder = folder
        self.meter = meter
        self.broker = broker
        self.assistants = assistants
        self._installed = Installed(self.pi, folder / "server", meter.port)

    @property
    def server(self) -> Server:
        return self._installed.running

    def start_server(self, **environ: str) -> None:
        """IES_... as keywords without their beginning."""
        given = {
            "MQTT_URL": self.broker.url,
            "MQTT_COUNTERS_EVERY_S": "1",
            "METERS_STALE_AFTER_S": str(STALE_AFTER_S),
        } | environ
        self._installed.start(self.pi.address, PORT, **given)

    def stop_server(self) -> None:
        self._installed.stop()

    def kill_server(self) -> None:
        """As a crash ends it: no word to anybody."""
        self._installed.kill()

    def printed(self) -> str:
        """The YAML that the command prints on the server's machine."""
        return self.command("homeassistant", "--url", f"http://{self.pi.address}:{PORT}").replace(
            self.pi.address, PI_NAME
        )

    def command(self, *arguments: str) -> str:
        """What `iskra-server ARGUMENTS` prints on the server's machine."""
        done = subprocess.run(
            [*self.pi.command, COMMAND, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=os.environ | {"IES_MQTT_URL": self.broker.url},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shows(self, expected: Decimal | str, within_s: float) -> None:
        """Wait until every Home Assistant shows this total."""
        for assistant in self.assistants:
            assistant.wait_for(TOTAL, expected, within_s)

    def everywhere(self, step: Any) -> None:
        """Do the same in every Home Assistant, at once."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(step, self.assistants))


@contextmanager
def home(folder: Path, releases: Sequence[Release], *blocks: str) -> Iterator[Home]:
    """Every Home Assistant configured with these blocks, none started."""
    # locked at first: whole kWh
    with network(folder) as net, meter(imported=123450000, exported=4321, profile=LOCKED) as made:
        assistants = [
            HomeAssistant(release=release, machine=net.machine(release.root), folder=folder / release.version)
            for release in releases
        ]
        for assistant in assistants:
            assistant.configure(*blocks)
        broker = Mosquitto(folder, within=net.pi.command, address=net.pi.address)
        built = Home(network=net, folder=folder, meter=made, broker=broker, assistants=assistants)
        try:
            yield built
        finally:
            built.everywhere(HomeAssistant.end)
            built.stop_server()
            broker.kill()
