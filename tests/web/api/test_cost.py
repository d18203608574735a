from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from starlette.datastructures import QueryParams

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import PriceWindow, SpotShare, Tariff, Terms
from iskra_server.history.model.quarter_energy import ReadingColumns
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.web.api.cost import cost_of
from iskra_server.web.http.query import Query
from samples import METER_ID
from web.past import INFO, NAME, Past, Q, counted
from web.serving import Site

CONTRACT = Contract(
    begins=date(2025, 1, 1),
    name="Green",
    energy_price=Decimal("0.3265"),
    base_fee=Decimal("12"),
    instalment=Decimal("50"),
)
NOW = datetime(2025, 6, 21, 12, tzinfo=UTC)
HOUR = "cost?from=2025-06-02T10:00:00Z&to=2025-06-02T11:00:00Z&bucket=15min"


def past(store: Store, *contracts: Contract) -> Past:
    past = Past(store)
    past.site = Site(history=store, contracts=contracts)
    return past


def test_each_bucket_has_its_exact_amount(store: Store) -> None:
    store.write(counted([1000, 1364, None, 2000, 2000]), [INFO])
    answer = past(store, CONTRACT).ask(HOUR)
    paid = [bucket.get("paid", {}).get("import_amount") for bucket in answer["buckets"]]
    assert paid == [Decimal("0.01188460"), None, None, 0]
    assert answer["total"]["import_amount"] == Decimal("0.0326500")
    assert answer["total"]["base_amount"] == Decimal("0.016667")
    assert (answer["currency"], answer["contract"]["name"]) == ("EUR", "Green")
    assert (answer["contract"]["energy_amount"], answer["contract"]["instalment_amount"]) == (Decimal("0.3265"), 50)


def test_a_forecast_needs_enough_history(store: Store) -> None:
    store.write(counted([1000, 1364]), [INFO])
    assert "year" not in past(store, CONTRACT).ask(HOUR)


def test_without_a_contract_nothing_is_priced(store: Store) -> None:
    store.write(counted([1000, 1364]), [INFO])
    foreign = Contract(begins=date(2025, 1, 1), energy_price=Decimal(1), meter="1 ISK 00 1")
    for contracts in ((), (foreign,)):
        answer = past(store, *contracts).ask(HOUR)
        assert answer.keys() == {"meter", "simulated", "tz", "bucket", "begin", "end", "buckets"}
        assert (answer["buckets"], answer["begin"][:16]) == ([], "2025-06-02T10:00")


def test_one_fixed_price_has_the_members_that_it_always_had(store: Store) -> None:
    store.write(counted([1000, 1364]), [INFO])
    answer = past(store, CONTRACT).ask(HOUR)
    assert answer["total"].keys() == {"import_amount", "export_amount", "base_amount", "total_amount"}
    assert answer["contract"] == {
        "name": "Green",
        "begins": "2025-01-01",
        "pricing": "fixed",
        "base_amount": 12,
        "base_per": "month",
        "instalment_amount": 50,
        "fees": [{"name": "supplier", "amount": 12, "per": "month"}],
        "energy_amount": Decimal("0.3265"),
        "feed_in_amount": 0,
    }


def test_the_parts_of_a_price_are_there_where_the_contract_has_them(store: Store) -> None:
    store.write(counted([0, 10_000]), [INFO])
    terms = Terms(
        energy=Tariff(Decimal("0.115")),
        grid=Tariff(Decimal("0.0912")),
        levies=((0, (("tax", Decimal("0.0205")), ("kwkg", Decimal("0.00446")))),),
        vat_percent=Decimal(19),
        feed_in=Tariff(Decimal("0.08")),
    )
    contract = Contract(begins=date(2025, 1, 1), terms=terms, grid_credit=Decimal(36500))
    answer = past(store, contract).ask(HOUR)
    total = answer["total"]
    parts = ("energy_amount", "grid_amount", "levies_amount", "vat_amount")
    assert [total[name] for name in parts] == [
        Decimal("0.115"),
        Decimal("0.0912"),
        Decimal("0.02496"),
        Decimal("0.23116") * Decimal("0.19"),
    ]
    assert sum(total[name] for name in parts) == total["import_amount"]
    assert [(levy["name"], levy["amount"]) for levy in total["levies"]] == [
        ("tax", Decimal("0.0205")),
        ("kwkg", Decimal("0.00446")),
    ]
    # an hour of a hundred a day is more than the grid fee
    assert total["credit_amount"] == -total["base_amount"] == Decimal("0.108528")
    assert "unpriced_import_wh" not in total and "estimated_amount" not in total
    about = answer["contract"]
    assert about["energy_amount"] == Decimal("0.23116") * Decimal("1.19")
    assert (about["vat_percent"], about["feed_in_amount"]) == (19, Decimal("0.08"))
    assert about["levies"] == [
        {"name": "tax", "amount": Decimal("0.0205")},
        {"name": "kwkg", "amount": Decimal("0.00446")},
    ]
    assert about["fees"] == [{"name": "credit", "amount": 36500, "per": "year"}]


def test_spot_prices_come_from_the_database_and_what_has_none_is_unpriced(store: Store) -> None:
    store.write(counted([0, 10_000, 30_000]), [INFO])
    store_prices(store, "DE-LU", "test", Q * 900, {Q: Price(100_000_000, 15)})
    terms = Terms(energy=Tariff(Decimal("0.02"), spot=SpotShare("DE-LU")))
    answer = past(store, Contract(begins=date(2025, 1, 1), terms=terms)).ask(HOUR)
    first, second, *_ = (bucket.get("paid") for bucket in answer["buckets"])
    assert (first["import_amount"], second["import_amount"]) == (Decimal("0.12"), 0)
    assert (second["unpriced_import_wh"], answer["total"]["unpriced_import_wh"]) == (2000, 2000)
    assert (answer["contract"]["pricing"], answer["contract"]["zone"]) == ("spot", "DE-LU")
    # what is paid for feed-in never changes: nothing
    assert "energy_amount" not in answer["contract"] and answer["contract"]["feed_in_amount"] == 0


def test_a_contract_may_be_for_one_meter(store: Store) -> None:
    store.write(counted([1000, 1364]), [INFO])
    for name in (METER_ID, NAME, INFO.server_id):
        contract = Contract(begins=date(2025, 1, 1), energy_price=Decimal(1), meter=name)
        assert past(store, contract).ask(HOUR)["total"]["import_amount"] == Decimal("0.0364")
        assert past(store, contract).ask(HOUR)["buckets"][0]["begin"].startswith("2025-06-02T10:00"), Q


def test_an_invalid_bucket_length_is_refused(store: Store) -> None:
    store.write(counted([1000, 1364]), [INFO])
    assert "bucket=decade" in past(store, CONTRACT).refusal("cost?bucket=decade")


def test_cost_total_and_year_read_their_quarters_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices that come back need every quarter of the contract year, of which the period is a part."""
    window = PriceWindow("HT", frozenset(range(1, 13)), frozenset(range(7)), 68, 80, Decimal("0.30"))
    terms = Terms(energy=Tariff(Decimal("0.20"), (window,)))
    store.write(counted(range(0, 96 * 20 * 100, 100)), [INFO])
    spans: list[tuple[int, int]] = []
    read = Reads.reading_columns

    def recorded(self: Reads, meter_id: str, obis: Obis, first: int, end: int) -> list[ReadingColumns]:
        spans.append((first, end))
        return list(read(self, meter_id, obis, first, end))

    monkeypatch.setattr(Reads, "reading_columns", recorded)
    contract = Contract(begins=date(2025, 1, 1), terms=terms, grid_credit=Decimal(100))
    meters = store.meters()
    query = Query(QueryParams("from=2025-06-05&to=2025-06-08"), ["from", "to"], now=NOW, tz="UTC")
    answer = cost_of(RecordedMeter(store, meters[0], meters), query, [contract])
    assert len(answer.buckets) > 1 and answer.year
    assert len(spans) == 1 and spans[0][0] == Q
