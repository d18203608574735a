"""An uplink against a real broker; the central server is a hand that answers, or does not."""

import time

import msgspec

from fleet.conftest import MakeReader
from fleet.field import RESEND_S
from iskra_server.fleet.edge.uplink import WINDOW, live
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import until
from samples import IMPORT, METER_ID, energy, power, sample

QUARTERS = "iskra/v1/cellar/quarters"


def test_a_closed_quarter_is_sent_at_once_and_again_until_it_is_answered(broker: Mosquitto, reader: MakeReader) -> None:
    """The broker has acknowledged it each time: that is not enough."""
    cellar = reader("cellar")
    with Subscriber(broker.port, QUARTERS) as network:
        cellar.live_through(1)
        first, second = network.wait_for(QUARTERS, 2)[:2]
        assert first == second
        assert [row[0] for row in msgspec.json.decode(first)["counters"][str(IMPORT)]] == [cellar.quarter]
        assert cellar.waiting == 1


def test_without_answers_messages_are_sent_one_at_a_time(broker: Mosquitto, reader: MakeReader) -> None:
    cellar = reader("cellar", meters=3 * WINDOW)
    with Subscriber(broker.port, QUARTERS) as network:
        cellar.live_through(1)
        network.wait_for(QUARTERS, WINDOW)
        began_s = time.monotonic()
        network.wait_for(QUARTERS, WINDOW + 2)
        # jitter takes at most half of the delays of 1 and 2 RESEND_S
        assert time.monotonic() - began_s > 1.4 * RESEND_S
        assert len({msgspec.json.decode(payload)["meter"] for payload in network.all_of(QUARTERS)}) <= WINDOW


def test_live_values_are_throttled_for_each_meter(broker: Mosquitto, reader: MakeReader) -> None:
    cellar = reader("cellar", live_every_s=10)
    other = "1 ISK 00 12345679"
    with Subscriber(broker.port, "iskra/v1/cellar/live") as network:
        until(cellar.hub.subscriptions)
        for second in range(25):
            for meter in (METER_ID, other):
                cellar.hub.publish(sample(energy(5 + second), power(300), at_s=float(second), meter_id=meter))
        said = [msgspec.json.decode(each) for each in network.wait_for("iskra/v1/cellar/live", 6)]
    assert [each["counters"]["1-0:1.8.0*255"] for each in said] == [[5 + s, -1] for s in (0, 0, 10, 10, 20, 20)]
    assert {each["power_mw"] for each in said} == {300_000}


def test_a_live_value_without_power_has_none() -> None:
    assert live(sample(energy(5))).power_mw is None


def test_a_reader_sends_its_status_and_is_offline_when_it_ends(broker: Mosquitto, reader: MakeReader) -> None:
    with Subscriber(broker.port, "iskra/v1/cellar/status") as network:
        cellar = reader("cellar")
        (status,) = network.wait_for("iskra/v1/cellar/status", 1)
        assert msgspec.json.decode(status)["sources"] == []
        cellar.stop()
        assert network.wait_for("iskra/v1/cellar/status", 2)[1] == b"offline"
