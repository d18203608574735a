from datetime import date
from decimal import Decimal
from typing import Any

from iskra_server.cost.contracts import Contract
from iskra_server.history.store.store import Store
from web.past import INFO, NAME, counted, info, quarter
from web.serving import Site

OLD = Contract(
    begins=date(2023, 3, 1),
    name="old",
    energy_price=Decimal("0.4"),
    instalment=Decimal(80),
    later_instalments=((date(2023, 9, 1), Decimal("85.5")),),
)
NEW = Contract(begins=date(2024, 5, 1), name="new", energy_price=Decimal("0.3"))


def years(store: Store, *contracts: Contract) -> list[dict[str, Any]]:
    answer = Site(history=store, tz="Europe/Berlin", contracts=contracts).get(f"/api/v1/meters/{NAME}/contract-years")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["years"]
    return found


def test_each_year_has_its_instalments_and_says_whether_it_was_recorded_whole(store: Store) -> None:
    first, last = quarter("2023-02-01T00:00:00+01:00"), quarter("2024-03-05T00:00:00+01:00")
    store.write([*counted([0], first=first), *counted([100], first=last)], [info(first=first)])
    whole, cut, *_ = years(store, NEW, OLD)
    assert [whole[name] for name in ("begin", "end", "contract", "whole")] == ["2023-03-01", "2024-03-01", "old", True]
    assert whole["instalments_amount"] == 6 * 80 + 6 * 85.5
    assert whole["instalments"][6] == {"day": "2023-09-01", "amount": 85.5}
    assert [cut[name] for name in ("begin", "end", "whole", "instalments_amount")] == [
        "2024-03-01",
        "2024-05-01",
        False,
        171,
    ]


def test_without_a_contract_there_is_no_year(store: Store) -> None:
    store.write(counted([0, 1]), [INFO])
    assert years(store) == []
