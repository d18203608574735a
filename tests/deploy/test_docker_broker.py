"""The profile `mqtt` of docker-compose.yml: a broker beside the server, with a password, that the server finds."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from deploy.engine import ROOT, Engine, Project
from deploy.head import Head
from outputs.mqtt.broker import Subscriber
from running import fetch, free_port, until

pytestmark = pytest.mark.slow

# with what a file .env may hold, and a shell would take apart
PASSWORD = "kWh 1.8.0:'#*"
# what differs from a household: this engine has no names for containers, and the ports are free ones
OVERRIDE = """
services:
  iskra-server:
    ports: !override ["127.0.0.1:{page}:8080"]
    extra_hosts: ["mqtt:172.31.99.2"]
    networks: {{default: {{ipv4_address: 172.31.99.3}}}}
  mqtt:
    ports: !override ["127.0.0.1:{broker}:1883"]
    networks: {{default: {{ipv4_address: 172.31.99.2}}}}
networks:
  default: {{ipam: {{config: [{{subnet: 172.31.99.0/24}}]}}}}
"""


class Household(Project):
    def __init__(self, engine: Engine, image: str, folder: Path) -> None:
        self.page, self.broker = free_port(), free_port()
        self.settings = folder / ".env"
        shutil.copy(ROOT / "docker-compose.yml", folder)
        (folder / "override.yml").write_text(OVERRIDE.format(page=self.page, broker=self.broker))
        files = (folder / "docker-compose.yml", folder / "override.yml")
        super().__init__(engine, *files, environ={"ISKRA_IMAGE": image})

    def output_works(self) -> bool:
        try:
            outputs = fetch(f"http://127.0.0.1:{self.page}/api/v1/status").json()["outputs"]
        except httpx.TransportError:
            return False
        return bool(outputs and outputs[0]["ok"])


@pytest.fixture(scope="module")
def household(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    engine.have_services()
    household = Household(engine, image, tmp_path_factory.mktemp("household"))
    household.settings.write_text(f'COMPOSE_PROFILES=mqtt\nIES_MQTT_PASSWORD="{PASSWORD}"\nIES_MQTT_LANGUAGE=de\n')
    household.compose("up", "--detach")
    yield household
    household.compose("down", "--volumes", "--timeout", "5")


def refusal(port: int, user: str, password: str) -> str:
    """What a broker answers to a client that it does not let in."""
    answers: list[str] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(str(reason))
    if user:
        client.username_pw_set(user, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    until(lambda: bool(answers))
    client.loop_stop()
    return answers[0]


def test_the_server_finds_the_broker_and_publishes_readings(household: Household, head: Head) -> None:
    until(household.output_works, 60)
    with Subscriber(household.broker, user="iskra", password=PASSWORD) as subscriber:

        def is_published() -> bool:
            head.send(123456789)
            states = [topic for topic in subscriber.now if topic.endswith("/state")]
            return bool(states) and subscriber.json(states[0]).get("energy_import") == 12345.6789

        until(is_published, 60)
        # every IES_ variable of .env reaches the server
        until(lambda: any(b"Leistung" in payload for payload in subscriber.now.values()))


def test_nobody_gets_in_without_the_password(household: Household) -> None:
    assert refusal(household.broker, "iskra", "wrong") == "Not authorized"
    assert refusal(household.broker, "", "") == "Not authorized"


def test_what_is_retained_survives_a_restart_of_the_broker(household: Household) -> None:
    with Subscriber(household.broker, user="iskra", password=PASSWORD) as subscriber:
        subscriber.say("kitchen/lamp", "on", retain=True)
    household.compose("restart", "mqtt")

    def is_kept() -> bool:
        try:
            with Subscriber(household.broker, "kitchen/#", user="iskra", password=PASSWORD) as subscriber:
                until(lambda: "kitchen/lamp" in subscriber.now)
                return True
        except OSError:
            return False

    until(is_kept)


def test_the_broker_can_write_nothing_but_its_data_and_has_no_privileges(household: Household) -> None:
    run = ("exec", "--no-TTY", "mqtt")
    with pytest.raises(AssertionError, match="Read-only file system"):
        household.compose(*run, "touch", "/etc/written")
    assert household.compose(*run, "id", "-u") == "1883"
    # a process of the broker itself: what its passwords are is no one else's business
    assert PASSWORD not in household.compose(*run, "sh", "-c", "cat /proc/1/cmdline /proc/[0-9]*/cmdline")


def test_without_a_password_the_broker_says_what_to_do(household: Household) -> None:
    household.settings.write_text("COMPOSE_PROFILES=mqtt\n")
    household.compose("up", "--detach")
    until(lambda: "write IES_MQTT_PASSWORD=... into .env" in household.compose("logs", "mqtt"))
    assert household.compose("exec", "--no-TTY", "iskra-server", "printenv", "IES_MQTT_URL") == ""
