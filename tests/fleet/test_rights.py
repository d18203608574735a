"""deploy/centre/acl at a real broker: a reader speaks under its own name alone, and a collector hears all of them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from msgspec import structs

from fleet.field import broker_settings
from history.entries import METER, QUARTER, boundary
from iskra_server.fleet import message
from iskra_server.fleet.collector import Collector
from iskra_server.history.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import until
from samples import IMPORT, METER_ID

ACL = Path(__file__).parents[2] / "deploy" / "centre" / "acl"
TOPIC = "iskra/v1/house-7/quarters"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed (deploy/debian-test-packages.txt)")
    passwords, acl = tmp_path / "passwords", tmp_path / "acl"
    passwords.touch(0o600)
    shutil.copy(ACL, acl)
    acl.chmod(0o600)
    for user in ("house-7", "house-8", "collector"):
        subprocess.run([program, "-b", passwords, user, "secret"], check=True)
    broker = Mosquitto(tmp_path, f"password_file {passwords}", f"acl_file {acl}", anonymous=False).start()
    yield broker
    broker.kill()


def test_a_reader_speaks_under_its_own_name_alone(guarded: Mosquitto, centre: Store) -> None:
    settings = structs.replace(broker_settings(guarded.url), username="collector", password="secret")
    collector = Collector(settings=settings, group="collect", store=centre, name="one")
    thread = Thread(target=collector.run)
    thread.start()
    assert collector.subscribed.wait(10)
    login = {"password": "secret"}
    with (
        Subscriber(guarded.port, "iskra/v1/house-7/kept", user="house-7", **login) as own,
        Subscriber(guarded.port, "iskra/v1/+/quarters", user="house-8", **login) as other,
    ):
        other.say(TOPIC, message.encode(message.quarters(METER, [boundary(QUARTER + 1)])))
        own.say(TOPIC, message.encode(message.quarters(METER, [boundary()])))
        until(lambda: collector.kept == 1)
        assert other.heard == []
    collector.stop()
    thread.join()
    assert centre.boundaries_between(METER_ID, IMPORT, 0, 2**31 - 1) == [boundary()]
