"""What a kWh costs that is used evenly, day and night: the mean of the prices of all quarters with a known one."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.cost.contracts import Contract
from iskra_server.cost.price_columns import Spot, price_columns
from iskra_server.meter.reading import scaled


def even_price(contract: Contract, begin: int, end: int, spot: Spot, tz: ZoneInfo) -> Decimal | None:
    """The mean gross price per kWh from quarter `begin` until before `end`; None if no price is known."""
    columns = price_columns(contract, begin, end, spot, tz)
    known = [price for price in columns.imports if price is not None]
    return scaled(sum(known), columns.scaler) / len(known) if known else None
