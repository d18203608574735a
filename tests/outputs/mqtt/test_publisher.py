"""Brokers that are not there, go, and come back without a memory."""

import json
import threading
import time
from pathlib import Path

import pytest

from outputs.mqtt.broker import Mosquitto, Subscriber, retained
from outputs.mqtt.published import AVAILABILITY, COUNTERS, DIAGNOSTICS, METER, SERVER, STATE, publishing, telegram
from running import Head, repeating, until

CONFIG = f"homeassistant/sensor/{METER}/power/config"
ALL = {SERVER, STATE, COUNTERS, AVAILABILITY, DIAGNOSTICS, CONFIG, f"homeassistant/binary_sensor/{METER}/locked/config"}
# how long one waits at most for a broker that is back: a pause between two attempts, of a second (keep_connected.py),
# and what a busy machine takes
BACK_S = 30.0


def test_a_broker_may_be_missing_at_the_start(head: Head, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    try:
        with publishing(head, broker) as server:
            head.send(telegram(0))
            until(lambda: server.cumulated().status_code == 200)
            until(lambda: "Nothing is published to" in server.log)
            broker.start()
            until(lambda: {SERVER, STATE, COUNTERS, CONFIG} <= retained(broker.port).keys())
            assert server.log.count("Nothing is published to") == 1
    finally:
        broker.kill()


def test_a_broker_that_lost_everything_is_told_all_again(head: Head, broker: Mosquitto) -> None:
    with publishing(head, broker):
        head.send(telegram(0))
        before = until(lambda: (now := retained(broker.port)).keys() >= ALL and now)
        for _ in range(2):
            broker.kill()
            broker.start()
            until(lambda: retained(broker.port).keys() == before.keys())
        assert retained(broker.port)[AVAILABILITY] == b"online"


@pytest.mark.slow
def test_a_broker_that_hangs_is_left_and_found_again(head: Head, broker: Mosquitto) -> None:
    with publishing(head, broker) as server:
        head.send(telegram(0))
        until(lambda: retained(broker.port).keys() >= ALL)
        broker.freeze()
        head.send(telegram(1))
        until(lambda: "does not answer within 5 s" in server.log)
        broker.thaw()
        until(lambda: b"12345.6781" in retained(broker.port)[STATE] and retained(broker.port)[SERVER] == b"online")
    assert "(p4," not in broker.log.read_text()


def test_a_meter_that_fell_silent_during_an_outage_is_not_online_behind_it(head: Head, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "persistence true", f"persistence_location {tmp_path}/").start()
    try:
        with publishing(head, broker, METERS_STALE_AFTER_S="1") as server:
            with repeating(head, telegram(0)):
                until(lambda: retained(broker.port).get(AVAILABILITY) == b"online")
                broker.stop()
            until(lambda: server.cumulated().status_code == 503)
            broker.start()
            until(lambda: retained(broker.port).get(SERVER) == b"online")
            assert retained(broker.port)[AVAILABILITY] == b"offline"
            assert json.loads(retained(broker.port)[STATE])["fresh"] is False
    finally:
        broker.kill()


def test_the_newest_state_is_there_soon_after_an_outage_and_nothing_is_doubled(head: Head, broker: Mosquitto) -> None:
    sent: list[tuple[float, str]] = []
    over = threading.Event()

    def feed() -> None:
        for number in range(1000):
            head.send(telegram(number))
            sent.append((time.monotonic(), f"{12345.678 + number / 10_000:.4f}"))
            if over.wait(0.25):
                return

    with publishing(head, broker):
        meter = threading.Thread(target=feed)
        meter.start()
        try:
            with Subscriber(broker.port) as subscriber:
                until(lambda: len(subscriber.all_of(STATE)) > 4)
            broker.kill()
            away_from = time.monotonic()
            until(lambda: sent[-1][0] > away_from + 4)
            broker.start()
            back_at = time.monotonic()
            with Subscriber(broker.port, STATE) as subscriber:
                until(lambda: subscriber.heard)
                first_at, _, first = subscriber.heard[0]
                until(lambda: len(subscriber.heard) > 8)
                states = [f"{json.loads(payload)['energy_import']:.4f}" for _, _, payload in subscriber.heard]
        finally:
            over.set()
            meter.join()
    assert first_at - back_at < BACK_S
    # none of those that came while it was away, but for the last ones, which were on their way
    newest = [value for at, value in sent if back_at - 2 < at < first_at]
    assert f"{json.loads(first)['energy_import']:.4f}" in newest
    values = [value for _, value in sent]
    begin = values.index(states[0])
    assert states == values[begin : begin + len(states)]
