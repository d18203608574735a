from decimal import Decimal

from iskra_server.history.store.store import Store
from samples import EXPORT
from web.past import BERLIN, INFO, Past, Q, anew, counted, quarter


def test_each_quarter_has_its_exact_energy(store: Store) -> None:
    store.write([*counted([1000, 1364, 2000]), *counted([70, 70, 75], obis=EXPORT)], [INFO])
    answer = Past(store).ask("quarters?from=2025-06-02T10:00:00Z&to=2025-06-02T10:30:00Z")
    assert (answer["import_wh"], answer["export_wh"]) == (
        [Decimal("36.4"), Decimal("63.6")],
        [Decimal("0.0"), Decimal("0.5")],
    )
    assert (answer["begin"], answer["end"]) == ("2025-06-02T10:00:00+00:00", "2025-06-02T10:30:00+00:00")


def test_a_quarter_without_both_edges_has_no_number(store: Store) -> None:
    store.write(counted([1000, 1100, None, 1500, 1600]), [INFO])
    answer = Past(store).ask("quarters?from=2025-06-02T09:45:00Z&to=2025-06-02T11:15:00Z")
    assert answer["import_wh"] == [None, 10, None, None, 10, None]


def test_a_meter_without_export_has_one_column(store: Store) -> None:
    store.write(counted([1000, 1100]), [INFO])
    assert "export_wh" not in Past(store).ask("quarters?from=2025-06-02")


def test_energy_continues_across_an_epoch(store: Store) -> None:
    store.write([*counted([1000]), *counted([30], first=Q + 1, epoch=1), anew(Q * 900 + 60, 1010, 0)], [INFO])
    answer = Past(store).ask("quarters?from=2025-06-02T10:00:00Z&to=2025-06-02T10:15:00Z")
    assert answer["import_wh"] == [Decimal("4.0")]


def test_days_when_the_clocks_change_have_92_or_100_elements(store: Store) -> None:
    store.write(counted([1, 2], first=quarter("2025-03-30T00:00:00+01:00")), [INFO])
    past = Past(store, tz=BERLIN)
    assert len(past.ask("quarters?from=2025-03-30")["import_wh"]) == 92
    assert len(past.ask("quarters?from=2025-10-26")["import_wh"]) == 100


def test_a_year_is_one_answer_and_compressed(store: Store) -> None:
    store.write(counted(range(0, 3000)), [INFO])
    answer = Past(store).get("quarters?from=2025", **{"accept-encoding": "gzip"})
    assert len(answer.json()["import_wh"]) == 365 * 96
    assert answer.headers["content-encoding"] == "gzip"


def test_a_longer_period_is_refused(store: Store) -> None:
    store.write(counted([1, 2]), [INFO])
    assert "longer than 400 days" in Past(store).refusal("quarters?from=2024&to=2026")
