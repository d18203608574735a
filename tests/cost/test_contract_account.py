from fractions import Fraction

from iskra_server.cost.contract_account import MonthAmount


def test_months_add_up() -> None:
    january = MonthAmount(
        imported=Fraction(30), exported=Fraction(5), fees=Fraction(10), priced_import_wh=Fraction(100_000)
    )
    february = MonthAmount(imported=Fraction(20), estimated=Fraction(1), priced_import_wh=Fraction(50_000))
    both = january + february
    assert both.total == Fraction(30 - 5 + 10 + 20 + 1)
    assert both.import_price == Fraction(1, 3)
    assert MonthAmount(imported=Fraction(1)).import_price is None
