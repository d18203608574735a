"""Readers and collectors of different versions: in any order of upgrades nothing is lost.

The older side is a small program that speaks the first protocol: numbers of four octets, and refusals as plain text.
"""

import msgspec
import pytest

from fleet.centre import Centre, Heard
from fleet.conftest import Collect, MakeReader
from fleet.field import FIRST, arrive, counted
from fleet.old_reader import OldReader
from history.entries import METER, quarter_reading
from history.postgres import Postgres
from iskra_server.fleet import protocol
from iskra_server.fleet.edge.uplink_queue import UplinkQueue
from iskra_server.fleet.protocol import Correlation
from iskra_server.history.store.schema import VERSIONS
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto
from running import until
from samples import METER_ID

SESSION = b"session1"


def test_an_older_reader_and_a_newer_collector(central: Store, broker: Mosquitto, collect: Collect) -> None:
    quarters = protocol.quarters(METER, [quarter_reading()])
    simulated = msgspec.structs.replace(quarters, meter="1 SIM 00 00000001", simulated=True)
    newer = msgspec.json.encode(msgspec.to_builtins(quarters) | {"v": 1, "tariff": 2})
    with OldReader(broker.port, "cellar") as reader:
        reader.send(1, protocol.encode(quarters))
        collector = collect()
        until(lambda: "Collecting from" in collector.log)
        # what nobody has answered is sent again

        def is_answered() -> bool:
            reader.send(1, protocol.encode(quarters))
            return reader.answers.get((1).to_bytes(4)) == b""

        until(is_answered, every_s=0.5)
        assert central.quarter_readings_between(METER_ID, quarter_reading().obis, 0, 2**31 - 1) == [quarter_reading()]
        # what waits gets no answer, because it would forget the quarters
        reader.send(2, protocol.encode(simulated))
        reader.send(3, b"no json")
        until(lambda: (3).to_bytes(4) in reader.answers)
        assert b"JSON is malformed" in reader.answers[(3).to_bytes(4)]
        assert (2).to_bytes(4) not in reader.answers
        # a reader of a later version, whose message this collector does not understand, is told to wait
        correlation = bytes(Correlation(SESSION, 4))
        reader.send(correlation, newer)
        until(lambda: correlation in reader.answers)
        receipt = protocol.decode_receipt(reader.answers[correlation])
        assert (receipt.state, "older than the reader" in receipt.reason) == ("waits", True)


def test_a_collector_that_is_older_than_the_tables_stores_nothing(
    central: Store, postgres: Postgres, reader: MakeReader, collect: Collect
) -> None:
    """After `prepare` of a newer version, until the collectors are updated, too."""
    cellar, collector = reader("cellar"), collect()
    cellar.live_through(2)
    arrive(central, cellar)
    postgres.run("UPDATE iskra_schema SET version_num = '0999'")
    cellar.live_through(2)
    until(lambda: "the tables of another version now (schema 0999" in collector.log)
    assert "Nothing is lost; the collector tries again." in collector.log
    assert (cellar.waiting, counted(central, "power")) == (2, 2)
    postgres.run(f"UPDATE iskra_schema SET version_num = '{VERSIONS[-1]}'")
    arrive(central, cellar)


@pytest.mark.slow
def test_a_newer_reader_and_an_older_collector(
    central: Store, broker: Mosquitto, reader: MakeReader, collect: Collect
) -> None:
    """The older collector does not know one of the quarters; after its upgrade everything is there."""
    cellar = reader("cellar")
    cellar.stop()
    cellar.live_through(20)
    unknown, stored = cellar.quarter - 3, set()

    def decide(message: Heard) -> bytes:
        if unknown in message.quarters:
            return b"Expected `int` <= 1 - at `$.v`"
        stored.update(message.quarters)
        return b""

    with Centre(broker.port, decide):
        cellar.start()
        until(lambda: cellar.waiting == 1)
        assert stored == set(range(FIRST + 1, FIRST + 21)) - {unknown}
        until(lambda: cellar.summary.refused == 1)
    collect()
    assert UplinkQueue(cellar.store).resend(FIRST) == 20
    arrive(central, cellar)
