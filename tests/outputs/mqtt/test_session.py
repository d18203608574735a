"""What stands at a real broker through one connection: states, availability, diagnostics."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from iskra_server.history.model.records import Exact, MeterInfo, QuarterReading, quarter_of
from iskra_server.history.store.store import Store
from iskra_server.outputs.mqtt.period_totals import span_of
from outputs.mqtt.broker import Mosquitto, Subscriber, retained
from outputs.mqtt.published import (
    AVAILABILITY,
    BASE,
    COUNTERS,
    DIAGNOSTICS,
    METER,
    SERVER,
    STATE,
    publishing,
    telegram,
)
from running import DEADLINE_S, Head, repeating, until, wait_over_midnight
from samples import IMPORT
from samples import METER_ID as NAME


def test_each_telegram_is_one_state_with_every_digit(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker):
        for number in range(3):
            head.send(telegram(number, power=-300 + number))
            subscriber.wait_for(STATE, number + 1)
        states = subscriber.all_of(STATE)
    assert b'"energy_import":12345.6780,"power":-300,"power_import":0,"power_export":300}' in states[0]
    assert b'"energy_import":12345.6781,"power":-299,"power_import":0,"power_export":299}' in states[1]
    assert b'"energy_import":12345.6782,' in states[2]


def test_telegrams_that_arrive_together_are_published_in_order_up_to_the_newest(head: Head, broker: Mosquitto) -> None:
    """A broker that is slow at this moment may miss some: the newest of a topic replaces those that wait."""
    newest = b'"energy_import":12345.6787,'
    with Subscriber(broker.port) as subscriber, publishing(head, broker):
        until(lambda: subscriber.now.get(SERVER) == b"online")
        head.send(b"".join(telegram(number) for number in range(8)))
        until(lambda: newest in subscriber.now.get(STATE, b""))
        totals = [state.partition(b'"energy_import":')[2][:10] for state in subscriber.all_of(STATE)]
    assert totals == sorted(set(totals))
    assert totals[0] == b"12345.6780"


def test_counters_come_at_most_every_ten_seconds(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker):
        began_s = time.monotonic()
        for number in range(4):
            head.send(telegram(number))
            subscriber.wait_for(STATE, number + 1)
        # one, but for a machine that is busy for ten seconds
        assert 1 <= len(subscriber.all_of(COUNTERS)) <= 1 + (time.monotonic() - began_s) // 10
        first = json.loads(subscriber.all_of(COUNTERS)[0])
        assert first["energy_import"] == 12345.678
        assert "power" not in first


def test_both_kinds_are_throttled_as_configured(head: Head, broker: Mosquitto) -> None:
    keys = {"MQTT_COUNTERS_EVERY_S": "0", "MQTT_STATE_EVERY_S": "3600"}
    with Subscriber(broker.port) as subscriber, publishing(head, broker, **keys):
        for number in range(3):
            head.send(telegram(number))
            subscriber.wait_for(COUNTERS, number + 1)
        assert len(subscriber.all_of(STATE)) == 1


def test_what_stands_at_the_broker_is_retained(head: Head, broker: Mosquitto) -> None:
    with publishing(head, broker):
        head.send(telegram(0))
        topics = {SERVER, STATE, COUNTERS, AVAILABILITY, DIAGNOSTICS}

        def is_online() -> bool:
            now = retained(broker.port, "iskra-server/")
            return now.keys() == topics and now[SERVER] == now[AVAILABILITY] == b"online"

        until(is_online)


def test_a_killed_server_is_offline_by_its_last_will(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker) as server:
        until(lambda: subscriber.now.get(SERVER) == b"online")
        server.process.kill()
        until(lambda: subscriber.now[SERVER] == b"offline")
    assert retained(broker.port)[SERVER] == b"offline"


def test_a_server_that_is_stopped_says_so(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker) as server:
        until(lambda: subscriber.now.get(SERVER) == b"online")
        server.process.terminate()
        assert server.process.wait(DEADLINE_S) == 0
        until(lambda: subscriber.now[SERVER] == b"offline")
    assert retained(broker.port)[SERVER] == b"offline"
    assert "Traceback" not in server.log


def test_a_silent_meter_is_unavailable_and_has_no_number(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker, METERS_STALE_AFTER_S="1"):
        with repeating(head, telegram(0)):
            until(lambda: subscriber.now.get(AVAILABILITY) == b"online")
        until(lambda: subscriber.now[AVAILABILITY] == b"offline")
        until(lambda: not subscriber.json(COUNTERS)["fresh"])
        assert subscriber.now[SERVER] == b"online"
        for topic in (STATE, COUNTERS):
            assert set(subscriber.json(topic)) == {"id", "last_seen", "fresh", "simulated"}

        since = len(subscriber.heard)
        with repeating(head, telegram(1)):
            until(lambda: subscriber.now[AVAILABILITY] == b"online")
        back = [topic for _, topic, _ in subscriber.heard[since:] if topic in (STATE, COUNTERS, AVAILABILITY)]
    # the numbers are there before anybody is told that they hold
    assert list(dict.fromkeys(back)) == [STATE, COUNTERS, AVAILABILITY]


def test_diagnostics_say_how_the_source_stands(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker):
        head.send(telegram(0, power=None, scaler=3))
        until(lambda: subscriber.json(DIAGNOSTICS))
        locked = subscriber.json(DIAGNOSTICS)
        head.send(telegram(1))
        until(lambda: subscriber.json(DIAGNOSTICS)["locked"] is False)
    assert locked["locked"] is True
    assert (locked["valid_ratio"], locked["failed_check"], locked["telegrams"]) == (1.0, "unlocked", 1)
    assert locked["source"] == str(head.link)
    assert 0 <= locked["age_s"] < DEADLINE_S


def test_what_a_killed_run_has_left_is_put_right_before_the_server_is_online(head: Head, broker: Mosquitto) -> None:
    other = "iskra-server/0a01494b5200deadbeef"
    with Subscriber(broker.port) as subscriber:
        subscriber.say(f"{other}/availability", "online", retain=True)
        subscriber.say(f"{other}/state", '{"power":1}', retain=True)
        with publishing(head, broker):
            until(lambda: subscriber.now.get(SERVER) == b"online")
        order = [(topic, payload) for _, topic, payload in subscriber.heard]
        assert order.index((f"{other}/availability", b"offline")) < order.index((SERVER, b"online"))
        assert subscriber.json(f"{other}/state") == {"fresh": False}
        # whether it has a problem is not known yet
        until(lambda: subscriber.json(f"{other}/diagnostics"))
        assert subscriber.json(f"{other}/diagnostics")["id"] == other.partition("/")[2]


def test_the_late_will_of_an_old_connection_is_contradicted(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker):
        until(lambda: subscriber.now.get(SERVER) == b"online")
        subscriber.say(SERVER, "offline", retain=True)
        until(lambda: subscriber.all_of(SERVER)[-2:] == [b"offline", b"online"])
        head.send(telegram(0))
        until(lambda: subscriber.now.get(AVAILABILITY) == b"online")
        subscriber.say(AVAILABILITY, "offline", retain=True)
        until(lambda: subscriber.all_of(AVAILABILITY)[-2:] == [b"offline", b"online"])


def test_all_is_said_again_when_home_assistant_starts(head: Head, broker: Mosquitto) -> None:
    config = f"homeassistant/sensor/{BASE.partition('/')[2]}/power/config"
    with Subscriber(broker.port) as subscriber, publishing(head, broker):
        head.send(telegram(0))
        until(lambda: subscriber.now.get(config) and subscriber.json(DIAGNOSTICS))
        for topic in (config, STATE, COUNTERS, AVAILABILITY):
            subscriber.say(topic, "", retain=True)
        subscriber.say("homeassistant/status", "online")
        until(lambda: {config, STATE, COUNTERS, AVAILABILITY} <= subscriber.topics())
        assert subscriber.json(STATE)["power"] == 300


@pytest.mark.slow
def test_entities_are_announced_again_after_a_minute(head: Head, broker: Mosquitto) -> None:
    """Home Assistant refuses one now and then while it loads what it needs for the first of them."""
    config = f"homeassistant/sensor/{BASE.partition('/')[2]}/power/config"
    with Subscriber(broker.port) as subscriber, publishing(head, broker), repeating(head, telegram(0)):
        until(lambda: len(subscriber.all_of(config)) == 2, 90.0)
        assert len(set(subscriber.all_of(config))) == 1


def test_a_reading_expires_at_a_broker_that_is_left_alone(head: Head, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path).start()
    try:
        with publishing(head, broker, METERS_STALE_AFTER_S="1", MQTT_COUNTERS_EVERY_S="0") as server:
            with repeating(head, telegram(0)):
                until(lambda: STATE in retained(broker.port))
            server.process.kill()
        until(lambda: not {STATE, COUNTERS} & retained(broker.port).keys())
    finally:
        broker.kill()


@pytest.mark.slow
def test_a_server_can_be_stopped_at_any_moment_of_its_start(head: Head, broker: Mosquitto) -> None:
    for number in range(5):
        with publishing(head, broker) as server:
            head.send(telegram(number))
            time.sleep(number * 0.006)
            server.process.terminate()
            assert server.process.wait(DEADLINE_S) == 0
        assert retained(broker.port).get(SERVER, b"offline") == b"offline"


def test_energy_of_today_and_its_cost_come_from_history(head: Head, broker: Mosquitto, tmp_path: Path) -> None:
    config = tmp_path / "iskra-server.toml"
    config.write_text("[[contracts]]\nbegins = 2020-01-01\nenergy_price = 0.40\n")
    store = Store(f"sqlite:///{tmp_path / 'iskra.sqlite'}")
    wait_over_midnight()
    now = quarter_of(time.time())
    begins = span_of(datetime.now(UTC), ZoneInfo("UTC")).quarters
    # what the counter showed when they began: at midnight that is now
    raw = {quarter: 123_450_000 for quarter in begins.values()} | {now: 123_456_000}
    readings = [QuarterReading(NAME, IMPORT, quarter, Exact(raw[quarter], -1), "measured", 0) for quarter in raw]
    store.write(readings, [MeterInfo(NAME, METER, False, 0, 0)])
    store.close()
    environ = {"HISTORY_ENABLED": "true", "DATA_DIR": str(tmp_path), "CONFIG": str(config), "SERVER_TIME_ZONE": "UTC"}
    with Subscriber(broker.port) as subscriber, publishing(head, broker, MQTT_COUNTERS_EVERY_S="0", **environ):
        number = 0
        while "energy_import_today" not in (subscriber.json(f"{BASE}/energy") or {}):
            number += 1
            head.send(telegram(number))
            subscriber.wait_for(f"{BASE}/energy", number)
        energy = json.loads(subscriber.now[f"{BASE}/energy"], parse_float=Decimal)
        for period, begin in begins.items():
            assert energy[f"energy_import_{period}"] == Decimal(123_456_780 + number - raw[begin]) / 10_000
        until(lambda: "cost_today" in (subscriber.json(f"{BASE}/cost") or {}))
        assert subscriber.json(f"{BASE}/cost")["price_import"] == 0.4
        head.send(telegram(number + 1))
        subscriber.wait_for(f"{BASE}/state", number + 1)
        state = json.loads(subscriber.now[f"{BASE}/state"], parse_float=Decimal)
        assert state["cost_per_hour"] == state["power"] * Decimal("0.0004") > 0
        periods = {f"{name}_{period}" for name in ("energy_import", "cost") for period in ("today", "month")}
        # announced behind the numbers
        until(
            lambda: (
                {*periods, "price_import", "cost_per_hour"}
                < {topic.split("/")[3] for topic in subscriber.topics("homeassistant/")}
            )
        )


@pytest.mark.parametrize("base", ["house/7", "meters"])
def test_the_topics_begin_as_configured(head: Head, broker: Mosquitto, base: str) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker, MQTT_BASE_TOPIC=base):
        head.send(telegram(0))
        until(lambda: subscriber.now.get(f"{base}/availability") == b"online")
        until(lambda: f"{base}/{BASE.partition('/')[2]}/state" in subscriber.now)
