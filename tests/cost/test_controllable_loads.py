from decimal import Decimal
from typing import Any

import msgspec
import pytest

from iskra_server.config import GridConfig
from iskra_server.cost.controllable_loads import module_findings
from iskra_server.cost.terms_from_config import tariff_of

HIGH = {"name": "HT", "months": "1-3,10-12", "from": "17:00", "to": "21:15", "price": 0.1520}
LOW = {"name": "NT", "months": "1-3,10-12", "from": "23:00", "to": "05:00", "price": 0.0274}
MODULE_3: dict[str, Any] = {"kind": "windows", "default": 0.0912, "module": 3, "credit": 146.2, "windows": [HIGH, LOW]}


def findings(**changes: Any) -> list[tuple[str, str]]:
    configured = msgspec.convert(MODULE_3 | changes, GridConfig)
    grid = tariff_of(configured, "contracts.1.grid", [])
    return [(finding.key, finding.sentence) for finding in module_findings(configured, grid, "contracts.1.grid")]


def test_a_price_sheet_that_keeps_the_rules_has_no_findings() -> None:
    assert findings() == []
    # 10 % and 40 % of the standard price, twice the standard price and two hours are allowed
    limits = [HIGH | {"price": 0.1824, "to": "19:00"}, LOW | {"price": 0.00912}]
    assert findings(windows=limits) == []
    assert findings(windows=[HIGH, LOW | {"price": 0.03648}]) == []


@pytest.mark.parametrize(
    ("windows", "sentence"),
    [
        ([HIGH | {"price": 0.1825}, LOW], "HT is at most twice the default price (ST), 0.1824."),
        ([HIGH, LOW | {"price": 0.0366}], "NT is 10 to 40 % of the default price (ST), 0.00912 to 0.03648."),
        ([HIGH, LOW | {"price": 0.009}], "NT is 10 to 40 %"),
        ([HIGH | {"to": "18:45"}, LOW], "HT applies for at least two hours on each day of its months."),
        ([HIGH | {"days": "mon-fri"}, LOW], "HT applies for at least two hours on each day of its months."),
        ([HIGH | {"months": "1-5"}, LOW | {"months": "1-5"}], "apply in at least two quarters of the year"),
        ([HIGH], "has three steps: one price above the default (HT) and one below it (NT)."),
        ([HIGH, LOW, {"from": "12:00", "to": "13:00", "price": 0.03}], "has three steps"),
    ],
)
def test_a_rule_that_is_broken_is_a_finding(windows: list[dict[str, Any]], sentence: str) -> None:
    ((key, found),) = findings(windows=windows)
    assert key == "contracts.1.grid.module" and sentence in found


def test_module_3_goes_with_module_1_and_with_windows() -> None:
    assert findings(credit=0.0) == [
        ("contracts.1.grid.credit", "contracts.1.grid.credit is missing: module 1 is a credit per year, and module 3 "
         "needs it.")
    ]  # fmt: skip
    ((_, sentence),) = findings(kind="fixed", windows=[])
    assert sentence == "contracts.1.grid.module = 3 needs kind = windows with the windows HT and NT."
    assert findings(module=0, credit=0.0, windows=[HIGH | {"price": float(Decimal(9))}]) == []
