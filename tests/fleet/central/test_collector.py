"""A collector against a real broker and a real database; what happens when they fail is in test_faults.py."""

from threading import Thread

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleet.field import settings_for
from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet import protocol
from iskra_server.fleet.central.collector import Collector
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import until
from samples import IMPORT, METER_ID

TOPIC = "iskra/v1/cellar/quarters"


def collecting(broker: Mosquitto, store: Store, name: str) -> tuple[Collector, Thread]:
    collector = Collector(settings=settings_for(broker.url), group="collect", store=store, name=name)
    thread = Thread(target=collector.run)
    thread.start()
    assert collector.subscribed.wait(10)
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
    assert collector.subscribed.wait(20)
    with Subscriber(broker.port, "nothing") as network:
        network.say(TOPIC, protocol.encode(protocol.quarters(METER, [quarter_reading()])))
        until(lambda: collector.kept == 1)
    collector.stop()
    thread.join()


def test_only_the_senders_own_topic_is_answered(broker: Mosquitto, central: Store) -> None:
    """An answer goes to the sender's own topic or nowhere."""
    collector, thread = collecting(broker, central, "one")
    payload = protocol.encode(protocol.quarters(METER, [quarter_reading()]))
    with Subscriber(broker.port, "#") as network:
        for answer_to in ("iskra/v1/attic/kept", "house/door", "iskra/v1/cellar/kept"):
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ResponseTopic, properties.CorrelationData = answer_to, b"7"
            network._client.publish(TOPIC, payload, 1, properties=properties)
        network.wait_for("iskra/v1/cellar/kept", 1)
        until(lambda: collector.kept == 3)
        assert {topic for _, topic, _ in network.heard} == {TOPIC, "iskra/v1/cellar/kept"}
    collector.stop()
    thread.join()
