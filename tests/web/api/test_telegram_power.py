from msgspec.structs import replace

from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.history.store.store import Store
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from iskra_server.web.api.telegram_power import telegram_power
from samples import METER_ID
from web.past import Q, info, telegrams

SECOND = "1 ISK 00 70000002"
PERIOD = Q * 900, Q * 900 + 60


def test_the_power_of_a_virtual_meter_is_that_of_its_parts(store: Store) -> None:
    store.write([telegrams(Q * 900, [1000, 1100])], [info()])
    store.write([replace(telegrams(Q * 900, [400, 450]), meter_id=SECOND)], [info(SECOND)])
    store.virtual = lambda: [VirtualMeter("Heat pump", (MeterPart(METER_ID, 1), MeterPart(SECOND, -1)))]
    powers = {}
    for name in (METER_ID, "Heat pump"):
        meter = recorded_meter(store, [name])
        assert meter
        powers[name] = telegram_power(meter, meter.points_between(*PERIOD), PERIOD).power_mw
    assert powers == {METER_ID: [1_000_000, 1_100_000], "Heat pump": [600_000, 650_000]}
