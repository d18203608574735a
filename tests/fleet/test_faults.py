"""Failures between reader and central server: afterwards every quarter is there once, as the reader has it."""

import random

import pytest

from fleet.conftest import Collect, MakeReader
from fleet.field import arrive, counted, refusals
from history.postgres import Postgres
from iskra_server.fleet import protocol
from iskra_server.fleet.edge.uplink_queue import UplinkQueue
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import until

WEEK = 7 * 96


def test_a_week_offline_arrives_completely(central: Store, reader: MakeReader, collect: Collect) -> None:
    away = reader("cellar", meters=3)
    away.stop()
    away.live_through(WEEK)
    collect()
    away.start()
    arrive(central, away)


def test_a_broker_that_is_killed(central: Store, broker: Mosquitto, reader: MakeReader, collect: Collect) -> None:
    one, other = reader("one", meters=2), reader("other")
    collect()
    for _ in range(2):
        one.live_through(10)
        other.live_through(20)
        broker.kill()
        one.live_through(10)
        broker.start()
    arrive(central, one, other)


def test_a_database_that_is_killed(postgres: Postgres, central: Store, reader: MakeReader, collect: Collect) -> None:
    one = reader("one", meters=2)
    collector = collect()
    one.live_through(20)
    arrive(central, one)
    postgres.stop()
    one.live_through(20)
    until(lambda: "the collector tries again" in collector.log)
    postgres.start()
    arrive(central, one)
    until(lambda: "The database is back after " in collector.log)


def test_a_collector_that_starts_before_the_database_waits(
    postgres: Postgres, central: Store, reader: MakeReader, collect: Collect
) -> None:
    one = reader("one")
    postgres.stop()
    collector = collect()
    until(lambda: "The collector waits for it." in collector.log)
    one.live_through(4)
    postgres.start()
    arrive(central, one)


@pytest.mark.slow
def test_collectors_that_are_killed_lose_nothing(central: Store, reader: MakeReader, collect: Collect) -> None:
    one, other = reader("one", meters=4), reader("other", meters=4)
    for known in (one, other):
        known.stop()
        known.live_through(3 * 96)
    collectors = [collect(), collect()]
    for known in (one, other):
        known.start()
    for victim in collectors:
        before = counted(central, "boundary")
        until(lambda: counted(central, "boundary") > before)  # noqa: B023
        victim.kill()
        collect()
    arrive(central, one, other)


def test_duplicates_in_any_order_change_nothing(
    central: Store, broker: Mosquitto, reader: MakeReader, collect: Collect
) -> None:
    one = reader("one", meters=2)
    one.stop()
    one.live_through(50)
    parcels = UplinkQueue(one.store).next_parcels(9, {})
    single = [(parcel.meter, [record]) for parcel in parcels for record in parcel.records] * 2
    random.Random(1).shuffle(single)
    collector = collect()
    until(lambda: "Collecting from" in collector.log)
    with Subscriber(broker.port, "nothing") as network:
        for meter, records in single:
            network.say("iskra/v1/one/quarters", protocol.encode(protocol.quarters(meter, records)))
    until(lambda: counted(central, "power") == 100)
    one.start()
    arrive(central, one)


@pytest.mark.parametrize(
    "wrong_s",
    [
        pytest.param(-400 * 86_400, id="behind", marks=pytest.mark.slow),
        pytest.param(30 * 86_400, id="ahead"),
    ],
)
def test_a_reader_whose_clock_is_wrong(central: Store, reader: MakeReader, collect: Collect, wrong_s: float) -> None:
    right, wrong = reader("right"), reader("wrong", clock_s=wrong_s)
    collect()
    right.live_through(20)
    wrong.live_through(20)
    arrive(central, right, wrong)


def test_a_poison_message_is_stored_with_its_reason(
    central: Store, broker: Mosquitto, reader: MakeReader, collect: Collect
) -> None:
    one = reader("one")
    collector = collect()
    until(lambda: "Collecting from" in collector.log)
    start = b'{"v":1,"meter":"1 X","server_id":"","seen":[1,2],"counters":'
    poison = [
        b"no json",
        b'{"v":0}',
        start + b'{"1-0:1.8.0*255":[[1,9223372036854775808,0,0,0]]}}',
        start.replace(b"X", b"\\u0000") + b'{"1-0:1.8.0*255":[[1,1,0,0,0]]}}',
        start + b'{"?":[[1,1,0,0,0]]}}',
    ]
    with Subscriber(broker.port, "iskra/v1/+/kept") as network:
        for payload in poison:
            network.say("iskra/v1/one/quarters", payload)
        one.live_through(20)
        arrive(central, one)
        until(lambda: len(refusals(central)) == len(poison))
    kept = {refusal.data: refusal for refusal in refusals(central)}
    assert set(poison) == set(kept)
    assert all(refusal.reason and refusal.topic == "iskra/v1/one/quarters" for refusal in kept.values())


@pytest.mark.slow
def test_a_collector_that_is_stopped_leaves_nothing_half_done(
    central: Store, reader: MakeReader, collect: Collect
) -> None:
    one = reader("one", meters=2)
    first = collect()
    one.live_through(30)
    until(lambda: counted(central, "boundary") > 0)
    collect()
    first.process.terminate()
    assert first.process.wait(60) == 0
    one.live_through(30)
    arrive(central, one)
