from iskra_server.base.address import Address
from iskra_server.config import Config
from iskra_server.config.price_section import SpotPricesConfig


def test_without_a_word_of_the_user_no_prices_are_fetched() -> None:
    assert Config().prices == SpotPricesConfig()
    assert Config().prices.zone == ""


def test_an_address_with_a_password_is_not_printed() -> None:
    assert "hush" not in str(SpotPricesConfig(file=Address("https://me:hush@example.org/prices.json")))
