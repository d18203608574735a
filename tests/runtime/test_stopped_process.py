"""A telegram that came while the server was stopped is as old as that, in every answer.

The pause is too short for recorded times (base/pauses.py), and no other telegram follows.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from outputs.mqtt.broker import Mosquitto, Subscriber
from running import Head, Server, fetch, free_port, repeating, serving, until
from telegrams import SERVER_ID, meter_entries, telegram

STALE_AFTER_S, PAUSE_S = 4.0, 3.5
# how often MQTT looks for meters that have become stale, and a busy machine
CHECK_S = 1.5

pytestmark = pytest.mark.slow


@contextmanager
def stopped_while_a_telegram_comes(tmp_path: Path, **environ: str) -> Iterator[tuple[Server, float]]:
    """A server that goes on after its pause, and when the telegram was sent."""
    with ExitStack() as stack:
        head = Head(tmp_path / "head")
        stack.callback(head.unplug)
        environ |= dict.fromkeys(("IES_METERS_STALE_AFTER_S", "IES_EMULATION_STALE_AFTER_S"), str(STALE_AFTER_S))
        server = stack.enter_context(serving("serve", str(head.link), environ=environ))
        with repeating(head, telegram(meter_entries(power=100))):
            until(lambda: server.cumulated().status_code == 200)
            # the pause begins between two beats
            time.sleep(1)
        server.process.send_signal(signal.SIGSTOP)
        head.send(telegram(meter_entries(power=200)))
        sent_s = time.monotonic()
        time.sleep(PAUSE_S)
        server.process.send_signal(signal.SIGCONT)
        yield server, sent_s


def test_it_is_answered_no_longer_than_any_other(tmp_path: Path) -> None:
    port = free_port()
    environ = {
        "IES_ECOTRACKER_ENABLED": "true",
        "IES_ECOTRACKER_PORT": str(port),
        "IES_EMULATION_HOST": "127.0.0.1",
        "IES_EMULATION_WAIT_FRESH_S": "0",
    }

    with stopped_while_a_telegram_comes(tmp_path, **environ) as (server, sent_s):

        def answers() -> set[str]:
            """What has a reading now."""
            found = set()
            with suppress(httpx.TransportError):
                if fetch(f"http://127.0.0.1:{port}/v1/json").status_code == 200:
                    found.add("device")
            if server.get("/api/v1/meters").json()["meters"][0]["registers"]:
                found.add("meters")
            if server.cumulated().status_code == 200:
                found.add("cumulated")
            if server.status()["facts"]["age_s"] <= STALE_AFTER_S:
                found.add("status")
            return found

        asked_s, last_asked_s = time.monotonic(), dict[str, float]()
        while current := answers():
            last_asked_s |= dict.fromkeys(current, asked_s)
            asked_s = time.monotonic()
        assert all(at_s - sent_s < STALE_AFTER_S for at_s in last_asked_s.values()), last_asked_s


def test_its_meter_is_offline_at_the_broker_as_soon(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path).start()
    topic = f"iskra-server/{SERVER_ID.hex()}/availability"
    try:
        with Subscriber(broker.port) as subscriber:
            with stopped_while_a_telegram_comes(tmp_path, IES_MQTT_URL=broker.url) as (_, sent_s):
                until(lambda: subscriber.now.get(topic) == b"offline")
                offline_s = time.monotonic()
            assert offline_s - sent_s < STALE_AFTER_S + CHECK_S
    finally:
        broker.kill()
