from datetime import date
from decimal import Decimal

from iskra_server.cost.contracts import Contract
from iskra_server.history.store.store import Store
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


def test_without_a_contract_the_answer_says_where_to_write_one(store: Store) -> None:
    store.write(counted([1000, 1364]), [INFO])
    foreign = Contract(begins=date(2025, 1, 1), energy_price=Decimal(1), meter="1 ISK 00 1")
    for contracts in ((), (foreign,)):
        answer = past(store, *contracts).get(HOUR)
        assert (answer.status_code, answer.json()["reason"]) == (404, "no_contract")
        assert "[[contracts]]" in answer.json()["detail"]


def test_a_contract_may_be_for_one_meter(store: Store) -> None:
    store.write(counted([1000, 1364]), [INFO])
    for name in (METER_ID, NAME, INFO.server_id):
        contract = Contract(begins=date(2025, 1, 1), energy_price=Decimal(1), meter=name)
        assert past(store, contract).ask(HOUR)["total"]["import_amount"] == Decimal("0.0364")
        assert past(store, contract).ask(HOUR)["buckets"][0]["begin"].startswith("2025-06-02T10:00"), Q


def test_an_invalid_bucket_length_is_refused(store: Store) -> None:
    store.write(counted([1000, 1364]), [INFO])
    assert "bucket=decade" in past(store, CONTRACT).refusal("cost?bucket=decade")
