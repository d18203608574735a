"""The section [prices]: where spot prices come from."""

from typing import Annotated

from msgspec import Meta, Struct

from iskra_server.base.address import Address


class SpotPricesConfig(Struct, frozen=True):
    zone: Annotated[
        str,
        Meta(
            description="Zone whose spot prices are fetched even where no contract needs them, such as DE-LU or AT. "
            "Empty: the zones of the contracts; where none needs spot prices, nothing is fetched.",
        ),
    ] = ""
    file: Annotated[
        Address,
        Meta(
            description="File or URL with spot prices in EUR/kWh, as evcc has them: a list of start, end and value. "
            "No other source is asked then. Empty: the sources below.",
            extra={"secret": True},
        ),
    ] = Address()
    energy_charts_url: Annotated[
        Address, Meta(description="Address of energy-charts, the first source. Empty: it is not asked.")
    ] = Address("https://api.energy-charts.info")
    smard_url: Annotated[
        Address, Meta(description="Address of SMARD, the second source, for DE-LU. Empty: it is not asked.")
    ] = Address("https://www.smard.de/app/chart_data")
    awattar_url: Annotated[
        Address,
        Meta(
            description="Address of aWATTar, the third source, for DE-LU and AT; {country} becomes de or at. It has "
            "prices of hours. Empty: it is not asked.",
        ),
    ] = Address("https://api.awattar.{country}")
