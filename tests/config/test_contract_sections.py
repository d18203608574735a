"""The tables of a contract in a file: what they may hold, and what a person is told who made a mistake."""

from pathlib import Path

import pytest

from iskra_server.config import ConfigError, ContractConfig, EnergyConfig, FeedInConfig, GridConfig, load
from iskra_server.config.contract_sections import WindowConfig
from iskra_server.config.layers import Layers

DYNAMIC = """
[[contracts]]
begins = 2026-01-01
vat_percent = 19
[contracts.energy]
kind = "spot"
zone = "DE-LU"
percent_negative = -3
fixed = 0.0215
[contracts.grid]
kind = "windows"
default = 0.0912
windows = [ { name = "HT", months = "1-3,10-12", days = "mon-sun", from = "17:00", to = "21:15", price = 0.1520 } ]
[contracts.levies]
tax = 0.0205
[contracts.levies.2026]
kwkg = 0.00446
[contracts.feed_in]
price = 0.0778
unpaid_when_negative = true

[[offers]]
name = "Day and night"
[offers.energy]
kind = "registers"
[offers.energy.prices]
"1.8.1" = 0.21
"1.8.2" = 1
"""


def config_of(text: str, tmp_path: Path) -> ContractConfig:
    file = tmp_path / "iskra-server.toml"
    file.write_text(text)
    return load({}, file).contracts[0]


def test_a_contract_may_say_how_its_price_is_made_up(tmp_path: Path) -> None:
    contract = config_of(DYNAMIC, tmp_path)
    window = WindowConfig("HT", "1-3,10-12", "mon-sun", "17:00", "21:15", 0.152)
    assert contract.energy == EnergyConfig(kind="spot", zone="DE-LU", percent_negative=-3.0, fixed=0.0215)
    assert contract.grid == GridConfig(kind="windows", default=0.0912, windows=(window,))
    assert contract.levies == {"tax": 0.0205, "2026": {"kwkg": 0.00446}}
    assert contract.feed_in_terms == FeedInConfig(price=0.0778, unpaid_when_negative=True)
    assert (contract.vat_percent, contract.energy_price, contract.has_parts) == (19, 0, True)


def test_an_offer_has_the_same_tables(tmp_path: Path) -> None:
    file = tmp_path / "iskra-server.toml"
    file.write_text(DYNAMIC)
    (offer,) = load({}, file).offers
    assert offer.energy == EnergyConfig(kind="registers", prices={"1.8.1": 0.21, "1.8.2": 1.0})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[contracts.energy]\nkind = 'spto'", "contracts.1.energy.kind in {} must be one of fixed, windows, spot, reg"),
        (
            "[contracts.energy]\nprise = 1",
            "'contracts.1.energy.prise' in {} is not a key; did you mean contracts.energy.p",
        ),
        ("[contracts.enrgy]\nprice = 1", "'contracts.1.enrgy' in {} is not a key; did you mean contracts.energy"),
        ("energy = 0.3", "contracts.1.energy in {} must be a table, written [contracts.energy]."),
        ("feed_in = 'x'", "contracts.1.feed_in in {} must be a number from 0 to 1000000000, not 'x'."),
        (
            "[contracts.grid]\nkind = 'spot'",
            "contracts.1.grid.kind in {} must be one of fixed, windows, registers",
        ),
        ("[contracts.grid]\nwindows = 1", "contracts.1.grid.windows in {} must be a list of tables, each written [["),
        (
            "[contracts.grid]\nwindows = [{{name = 1}}]",
            "contracts.1.grid.windows.1.name in {} must be text in quotes, not 1.",
        ),
        ("[contracts.levies]\ntax = '2'", "contracts.1.levies.tax in {} must be a price, a number up to 1000000000."),
        (
            "[contracts.levies.next]\ntax = 2",
            "'contracts.1.levies.next' in {} must be a year, such as contracts.1",
        ),
        ("[contracts.levies.2026]\ntax = true", "contracts.1.levies.2026.tax in {} must be a price, a number up to"),
        ("[contracts.energy.prices]\n'1.8.1' = inf", "contracts.1.energy.prices.1.8.1 in {} must be a price, a numb"),
    ],
)
def test_a_mistake_in_a_table_names_its_place(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of("[[contracts]]\n" + text.replace("{{", "{").replace("}}", "}"), tmp_path)
    assert str(caught.value).startswith(sentence.format(tmp_path / "iskra-server.toml"))
    assert caught.value.key.startswith("contracts.1.")


def test_all_mistakes_are_found_at_once() -> None:
    errors: list[ConfigError] = []
    layers = Layers(errors)
    content = {
        "sever": {},
        "server": {"port": 0, "host": "::1", "x": 1},
        "contracts": [{"energy": {"kind": "x", "price": "y", "windows": [{"from": 1}, {"to": 2}]}}, {"base_fee": -1}],
        "meters": 7,
    }
    layers.add_file(content, "a.toml")
    assert [error.key for error in errors] == [
        "sever",
        "server.port",
        "server.x",
        "contracts.1.energy.kind",
        "contracts.1.energy.price",
        "contracts.1.energy.windows.1.from",
        "contracts.1.energy.windows.2.to",
        "contracts.2.base_fee",
        "meters",
    ]
    assert errors[1].expected == "a whole number from 1 to 65535"
    # what is right is there
    config = layers.config()
    assert (config.server.host, config.server.port, len(config.contracts)) == ("::1", 8080, 2)
