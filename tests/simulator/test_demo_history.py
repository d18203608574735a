from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.history.model.records import Exact, quarter_of
from iskra_server.history.points.curve import power_of_telegrams
from iskra_server.history.store.store import Store
from iskra_server.meter.normalise import MeterMemory, merge_parts, normalise
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading
from iskra_server.meter.totals import TOTALS
from iskra_server.simulator.demo_history import fill, first_moment
from iskra_server.simulator.household import Household
from iskra_server.simulator.profiles import PROFILES, decoder
from iskra_server.simulator.simulated_source import moment, telegrams

NOW = datetime(2026, 3, 29, 12, 7, tzinfo=UTC)
NAME = "1 ISK 00 10000001"
IMPORT = Obis.parse("1.8.0")


@pytest.mark.slow
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


def test_the_last_two_days_have_the_power_of_telegrams(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    begin = NOW - timedelta(days=5)
    list(fill(store, "MT175", 1, NOW, first=begin))
    end_s = int(NOW.timestamp())
    hour = power_of_telegrams(store.points_between(NAME, end_s - 3600, end_s), (end_s - 3600, end_s))
    assert len(hour.at_ms) == 360
    assert hour.at_ms[-1] == (end_s - 10) * 1000
    household = Household(1, PROFILES["MT175"].pv_peak_w, int(begin.timestamp()))
    assert hour.power_mw[-1] == household.at(end_s - 10).power_mw // 1000 * 1000
    assert store.points_between(NAME, end_s - 60 * 3600, end_s - 49 * 3600) == []


@pytest.mark.slow
def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert len(list(fill(store, "MT631-locked", 1, NOW))) > 10
    assert len(list(fill(store, "MT631-locked", 1, NOW + timedelta(days=1)))) == 1
    found = store.quarter_readings_between(NAME, IMPORT, 0, 2**31)
    assert len(found) == found[-1].quarter - found[0].quarter + 1


@pytest.mark.parametrize("name", ["MT171", "MT382", "M550", "AM550-Ljubljana", "NetzNOE-encrypted"])
def test_it_holds_what_a_meter_of_another_protocol_sends(tmp_path: Path, name: str) -> None:
    now = datetime(2026, 1, 4, tzinfo=UTC)
    begin = datetime(2026, 1, 3, tzinfo=UTC)
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert list(fill(store, name, 1, now, first=begin))[-1] == 1
    model, second = PROFILES[name], int(now.timestamp())
    household = Household(1, model.pv_peak_w, int(begin.timestamp()))
    results = merge_parts(decoder(model).feed(model.write(moment(model, 1, household, second))))
    shown = [normalise(result, MeterMemory())[0] for result in results if isinstance(result, Reading)]
    own = next(reading for reading in shown if reading.get(IMPORT))
    for obis in TOTALS:
        total = own.get(obis)
        assert total
        *_, last = store.quarter_readings_between(own.meter_id, obis, 0, 2**31)
        assert last.value == Exact(int(total.raw), total.scaler or 0)
    powers = store.power_between(own.meter_id, 0, 2**31)
    assert bool(powers) == (name != "MT171")
