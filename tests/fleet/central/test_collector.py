"""A collector against a real broker and a real database; what happens when they fail is in test_faults.py."""

import time
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from msgspec import structs
from msgspec.structs import replace
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from sqlalchemy import select

from fleet.field import refusals, settings_for
from history.entries import METER, QUARTER, quarter_reading
from history.postgres import Postgres
from iskra_server.base.secret import Secret
from iskra_server.fleet import protocol
from iskra_server.fleet.central import batch_writer
from iskra_server.fleet.central import collector as collector_module
from iskra_server.fleet.central.collector import Collector
from iskra_server.history.store import StoreError
from iskra_server.history.store.schema import live
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import DEADLINE_S, until
from samples import IMPORT, METER_ID

TOPIC = "iskra/v1/cellar/quarters"


def collecting(broker: Mosquitto, store: Store, name: str) -> tuple[Collector, Thread]:
    collector = Collector(settings=settings_for(broker.url), group="collect", store=store, name=name)
    thread = Thread(target=collector.run)
    thread.start()
    assert collector.subscribed.wait(DEADLINE_S)
    return collector, thread


def test_collectors_share_messages_and_store_each_once(broker: Mosquitto, central: Store) -> None:
    pairs = [collecting(broker, central, name) for name in ("one", "other")]
    with Subscriber(broker.port, "nothing") as network:
        for place in range(40):
            network.say(TOPIC, protocol.encode(protocol.quarters(METER, [quarter_reading(QUARTER + place)])))
        until(lambda: sum(collector.kept for collector, _ in pairs) == 40)
    for collector, thread in pairs:
        collector.stop()
        thread.join()
    assert all(collector.kept > 5 for collector, _ in pairs)
    assert len(central.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)) == 40


def test_a_collector_reconnects_to_the_broker(broker: Mosquitto, central: Store) -> None:
    collector, thread = collecting(broker, central, "one")
    broker.kill()
    until(lambda: not collector.subscribed.is_set())
    broker.start()
    assert collector.subscribed.wait(DEADLINE_S)
    with Subscriber(broker.port, "nothing") as network:
        network.say(TOPIC, protocol.encode(protocol.quarters(METER, [quarter_reading()])))
        until(lambda: collector.kept == 1)
    collector.stop()
    thread.join()


def request(network: Subscriber, payload: bytes, correlation: bytes, reader: str = "cellar") -> None:
    """Quarters of a reader that asks for a receipt under its own topic."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ResponseTopic, properties.CorrelationData = f"iskra/v1/{reader}/kept", correlation
    network._client.publish(f"iskra/v1/{reader}/quarters", payload, 1, properties=properties)


def encoded(place: int = 0, **changes: object) -> bytes:
    message = msgspec.to_builtins(protocol.quarters(METER, [quarter_reading(QUARTER + place)]))
    return msgspec.json.encode(message | changes)


def test_readers_of_both_protocols_are_told_what_they_understand(broker: Mosquitto, central: Store) -> None:
    """Readers of the first protocol forget quarters after any text, and send again what is not answered."""
    collector, thread = collecting(broker, central, "one")
    session, topic = b"a random", "iskra/v1/cellar/kept"
    with Subscriber(broker.port, topic) as network:
        request(network, encoded(), session + b"\0\0\0\1")
        assert network.wait_for(topic, 1) == [b""]
        request(network, encoded(1, simulated=True), session + b"\0\0\0\2")
        receipt = protocol.decode_receipt(network.wait_for(topic, 2)[1])
        assert (receipt.state, "Give simulated meters a central server of their own" in receipt.reason) == (
            "waits",
            True,
        )
        request(network, encoded(2, v=2), session + b"\0\0\0\3")
        assert protocol.decode_receipt(network.wait_for(topic, 3)[2]).state == "waits"
        request(network, b"{", session + b"\0\0\0\4")
        assert protocol.decode_receipt(network.wait_for(topic, 4)[3]).state == "refused"
        assert (collector.state().waits, collector.state().refused) == (2, 1)
        # of the first protocol
        request(network, encoded(2, v=2), b"\0\0\0\5")
        until(lambda: collector.waits == 3)
        request(network, b'{"', b"\0\0\0\6")
        assert network.wait_for(topic, 5)[4] == b"Input data was truncated"
        request(network, encoded(), b"\0\0\0\7")
        assert network.wait_for(topic, 6)[5] == b""
    collector.stop()
    thread.join()
    assert [refusal.data for refusal in refusals(central)] == [b"{", b'{"']
    assert central.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1) == [quarter_reading()]


def test_live_values_wait_for_the_database_one_for_each_meter(
    broker: Mosquitto, central: Store, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_writer, "_MAX_RETRY_S", 0.1)
    collector, thread = collecting(broker, central, "one")
    meters = [f"1 ISK 00 {place:08}" for place in range(5)]
    with Subscriber(broker.port, "nothing") as network:
        for name in meters:
            info = replace(METER, meter_id=name)
            known = protocol.quarters(info, [quarter_reading(meter=info)])
            network.say(TOPIC, protocol.encode(known))
        until(lambda: collector.kept == 5)
        postgres.stop()
        network.say(TOPIC, encoded())
        until(lambda: collector.state().database_away_since_s)
        assert "The broker" not in collector.state().sentence
        for place in range(2000):
            value = protocol.LiveValues(1, meters[place % 5], 1, place)
            network._client.publish("iskra/v1/cellar/live", protocol.encode(value), 0)
        until(lambda: collector.state().live_dropped == 1995)
        assert collector.state().live == 0
        heard_s = int(time.time())
        until(lambda: time.time() >= heard_s + 1)
        postgres.start()
        until(lambda: collector.state().live == 5)
    state = collector.state()
    collector.stop()
    thread.join()
    assert (state.sentence, state.database_away_since_s, state.kept) == ("", None, 6)
    with central.transaction(write=False) as connection:
        rows = connection.execute(select(live.c.power_mw, live.c.at_s).order_by(live.c.power_mw)).all()
    assert [row.power_mw for row in rows] == [1995, 1996, 1997, 1998, 1999, None]
    # when they arrived, not when they were written
    assert all(row.at_s <= heard_s for row in rows[:5])


def test_long_messages_wait_within_a_limit_and_fill_no_batch(
    broker: Mosquitto, central: Store, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 messages of 1 MB took 0.7 GB, and nobody else was heard for more than a minute."""
    monkeypatch.setattr(collector_module, "_MAX_WAITING_BYTES", 100_000)
    monkeypatch.setattr(collector_module, "_BATCH_BYTES", 1)
    collector, thread = collecting(broker, central, "one")
    postgres.stop()
    with Subscriber(broker.port, "nothing") as network:
        for _ in range(20):
            network.say(TOPIC, b"x" * 70_000)
        network.say(TOPIC, protocol.encode(protocol.quarters(METER, [quarter_reading()])))
    until(lambda: collector.state().waiting > 1)
    postgres.start()
    until(lambda: collector.kept == 1)
    # two wait, and one more for each that is taken before the rest comes
    assert 2 <= collector.refused < 20
    assert collector.state().batches == collector.refused + 1
    collector.stop()
    thread.join()


def test_a_wrong_password_says_so(tmp_path: Path, central: Store, caplog: pytest.LogCaptureFixture) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    broker = Mosquitto(tmp_path, f"password_file {passwords}", anonymous=False).start()
    settings = structs.replace(settings_for(broker.url), username="collector", password=Secret("wrong"))
    collector = Collector(settings=settings, group="collect", store=central, name="one")
    thread = Thread(target=collector.run)
    thread.start()
    expected = (
        f"The broker {broker.url} says: wrong user or password (it refuses the connection: Not authorized). Correct "
        "the user in collect.url, or collect.password (IES_COLLECT_PASSWORD). The collector tries again until then."
    )
    until(lambda: collector.state().sentence == expected)
    assert not collector.state().is_connected
    assert collector.state().broker_away_since_s
    assert expected in caplog.text
    collector.stop()
    thread.join()
    broker.kill()


def test_only_the_senders_own_topic_is_answered(broker: Mosquitto, central: Store) -> None:
    """An answer goes to the sender's own topic or nowhere."""
    collector, thread = collecting(broker, central, "one")
    payload = protocol.encode(protocol.quarters(METER, [quarter_reading()]))
    with Subscriber(broker.port, "#") as network:
        for answer_to in ("iskra/v1/attic/kept", "house/door", "iskra/v1/cellar/kept"):
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ResponseTopic, properties.CorrelationData = answer_to, b"0007"
            network._client.publish(TOPIC, payload, 1, properties=properties)
        network.wait_for("iskra/v1/cellar/kept", 1)
        until(lambda: collector.kept == 3)
        assert {topic for _, topic, _ in network.heard} == {TOPIC, "iskra/v1/cellar/kept"}
    collector.stop()
    thread.join()


def test_other_work_is_done_in_steps_while_no_message_waits(broker: Mosquitto, central: Store) -> None:
    steps: list[float] = []

    def step() -> bool:
        steps.append(time.monotonic())
        if len(steps) == 2:
            raise StoreError("The database is busy.")
        return len(steps) == 1

    collector = Collector(settings=settings_for(broker.url), group="collect", store=central, name="one", when_idle=step)
    thread = Thread(target=collector.run)
    thread.start()
    until(lambda: len(steps) == 2)
    with Subscriber(broker.port, "nothing") as network:
        network.say(TOPIC, encoded())
        until(lambda: collector.kept == 1)
    collector.stop()
    thread.join()
    # after the failure a minute later
    assert len(steps) == 2
