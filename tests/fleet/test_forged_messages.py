"""Messages that no reader sends, to a collector as a user runs it: it goes on, and so do the readers."""

from fleet.conftest import Collect, MakeReader
from fleet.field import arrive, refusals
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import until

NESTED = b"[" * 8_000
LIVE = (
    b'{"v":1,"meter":"1 X","at_s":1,"x":' + NESTED + b"}",
    b'{"v":1,"meter":"1 \\u0000","at_s":1}',
    b"\xff",
    b"x" * (1 << 20),
)
STATUS = (
    b'{"v":1,"at_s":1,"version":"1","sources":[],"waiting":9223372036854775808}',
    b'{"v":1,"at_s":1,"version":"1","sources":' + NESTED + b"}",
)


def test_a_collector_goes_on_after_them(
    central: Store, broker: Mosquitto, reader: MakeReader, collect: Collect
) -> None:
    """Nested brackets in one live value ended a collector, and with QoS 1 every other one after it."""
    one = reader("one")
    collector = collect()
    until(lambda: "Collecting from" in collector.log)
    with Subscriber(broker.port, "nothing") as network:
        for kind, payloads in (("live", LIVE), ("status", STATUS)):
            for payload in payloads:
                network.say(f"iskra/v1/two/{kind}", payload)
    one.live_through(20)
    arrive(central, one)
    until(lambda: {each.data for each in refusals(central)} == {*STATUS})
    until(lambda: "Live values at iskra/v1/two/live are not understood" in collector.log)
    assert collector.process.poll() is None
