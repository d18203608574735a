from decimal import Decimal

from iskra_server.cost.tariffs import Rate, SpotShare

NET = Rate(Decimal("0.0215"), Decimal("0.0912"), (("tax", Decimal("0.0205")),), Decimal(19))


def test_tax_is_added_to_the_sum_of_all_parts() -> None:
    assert NET.gross() == Decimal("0.1332") * Decimal("1.19")


def test_the_spot_price_counts_with_its_sign_and_its_factor() -> None:
    share = SpotShare("AT", Decimal("1.03"), Decimal("0.97"))
    rate = Rate(Decimal("0.01"), spot=share, vat_percent=Decimal(20))
    assert rate.gross(Decimal("0.10")) == Decimal("0.113") * Decimal("1.2")
    assert rate.gross(Decimal("-0.10")) == Decimal("-0.087") * Decimal("1.2")


def test_without_its_spot_price_a_price_is_unknown() -> None:
    assert Rate(Decimal("0.01"), spot=SpotShare("AT")).gross() is None


def test_feed_in_may_be_unpaid_while_the_spot_price_is_negative() -> None:
    rate = Rate(Decimal("0.0778"), spot=SpotShare("AT", Decimal(0), unpaid_when_negative=True))
    prices = [rate.gross(Decimal(spot)) for spot in ("-0.00001", "0", "0.2")]
    assert prices == [0, Decimal("0.0778"), Decimal("0.0778")]


def test_no_digit_is_lost_however_many_there_are() -> None:
    rate = Rate(Decimal("123456789.123456789012"), vat_percent=Decimal("8.123456789012"))
    assert rate.gross() == Decimal(f"{123456789123456789012 * 108123456789012}E-26")
