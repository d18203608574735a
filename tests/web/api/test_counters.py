from decimal import Decimal

from iskra_server.history.store.store import Store
from samples import EXPORT
from web.past import BERLIN, INFO, Past, Q, anew, counted, power, quarter

HALF_PAST_TEN = "counters?from=2025-06-02T10:00:00Z&to=2025-06-02T10:30:00Z"


def test_each_quarter_has_what_the_counter_showed(store: Store) -> None:
    store.write([*counted([1000, None, 2000, 2001]), *counted([70, 70, 75], obis=EXPORT)], [INFO])
    answer = Past(store).ask(HALF_PAST_TEN)
    imported, exported = answer["counters"]
    assert (imported["name"], imported["shown_wh"]) == ("energy_import", [Decimal("100.0"), None, Decimal("200.0")])
    assert (exported["name"], exported["shown_wh"]) == (
        "energy_export",
        [Decimal("7.0"), Decimal("7.0"), Decimal("7.5")],
    )
    assert (answer["begin"], answer["end"]) == ("2025-06-02T10:00:00+00:00", "2025-06-02T10:30:00+00:00")


def test_a_counter_that_never_restarted_has_no_total(store: Store) -> None:
    store.write(counted([1000, 1001]), [INFO])
    assert "total_wh" not in Past(store).ask(HALF_PAST_TEN)["counters"][0]


def test_the_total_runs_on_across_a_restart(store: Store) -> None:
    store.write([*counted([1000]), *counted([30, 50], first=Q + 1, epoch=1), anew(Q * 900 + 60, 1010, 0)], [INFO])
    (imported,) = Past(store).ask(HALF_PAST_TEN)["counters"]
    assert imported["shown_wh"] == [Decimal("100.0"), Decimal("3.0"), Decimal("5.0")]
    assert imported["total_wh"] == [Decimal("100.0"), Decimal("104.0"), Decimal("106.0")]


def test_power_has_an_element_a_quarter(store: Store) -> None:
    store.write([*counted([1000, 1001]), *power(Q, [500, None])], [INFO])
    assert Past(store).ask(HALF_PAST_TEN)["power"] == {
        "min_w": [Decimal("400.000"), None],
        "mean_w": [Decimal("500.000"), None],
        "max_w": [Decimal("600.000"), None],
    }


def test_days_when_the_clocks_change_have_all_their_quarters(store: Store) -> None:
    store.write(counted([1, 2], first=quarter("2025-03-30T00:00:00+01:00")), [INFO])
    past = Past(store, tz=BERLIN)
    for day, quarters in (("2025-03-30", 92), ("2025-10-26", 100)):
        answer = past.ask(f"counters?from={day}")
        assert (len(answer["counters"][0]["shown_wh"]), len(answer["power"]["mean_w"])) == (quarters + 1, quarters)


def test_a_longer_period_is_refused(store: Store) -> None:
    store.write(counted([1, 2]), [INFO])
    assert "longer than 400 days" in Past(store).refusal("counters?from=2024&to=2026")
