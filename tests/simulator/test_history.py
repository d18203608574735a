from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.history.model.records import Exact, quarter_of
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading
from iskra_server.simulator.history import fill, first_moment
from iskra_server.simulator.virtual import telegrams

NOW = datetime(2026, 3, 29, 12, 7, tzinfo=UTC)
NAME = "1 ISK 00 10000001"
IMPORT = Obis.parse("1.8.0")


def test_it_is_two_years_that_run_into_what_the_meter_sends_now(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    shares = list(fill(store, "MT175", 1, NOW))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    first, last = quarter_of(first_moment(NOW).timestamp()), quarter_of(NOW.timestamp())
    found = store.quarter_readings_between(NAME, IMPORT, 0, last + 1)
    assert [each.quarter for each in found] == list(range(first, last + 1))
    assert all(one.value.raw <= other.value.raw for one, other in pairwise(found))
    at = datetime.fromtimestamp(last * 900, UTC)
    (reading,) = SmlDecoder().feed(next(telegrams("MT175", seed=1, start=at, since=first_moment(NOW))))
    assert isinstance(reading, Reading)
    register = reading.get(IMPORT)
    assert register is not None
    assert found[-1].value == Exact(int(register.raw), register.scaler or 0)
    powers = store.power_between(NAME, last - 96, last)
    assert all(each.min_mw <= each.mean_mw <= each.max_mw for each in powers)
    assert len(powers) == 96
    assert store.meters()[0].simulated


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert len(list(fill(store, "MT631-locked", 1, NOW))) > 10
    assert len(list(fill(store, "MT631-locked", 1, NOW + timedelta(days=1)))) == 1
    found = store.quarter_readings_between(NAME, IMPORT, 0, 2**31)
    assert len(found) == found[-1].quarter - found[0].quarter + 1
