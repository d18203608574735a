"""Who publishes spot prices, in the order in which they are asked. A request names a zone and a period, nothing else.

Each function blocks, and returns the prices that a source has of a period, which may be none. Redirects are not
followed; answers are limited in size and time. Docs: https://api.energy-charts.info, https://www.smard.de,
https://www.awattar.de/services/api
"""

import http.client
import ssl
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import Timer

from msgspec import Struct

from iskra_server.base.address import Address
from iskra_server.base.http_request import HttpRequest
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.model.spot_price import FIRST_QUARTERLY, ZONES, Prices
from iskra_server.prices.price_answers import (
    BadAnswer,
    awattar_prices,
    energy_charts_prices,
    evcc_prices,
    smard_prices,
    smard_weeks,
)

# a month of energy-charts has 60 kB, one of aWATTar 90 kB
MAX_BYTES = 1_000_000
# a file may hold years
MAX_FILE_BYTES = 64_000_000
# for a whole answer, also from a server that sends a byte now and then
ANSWER_WITHIN_S = 30.0
# the market price of Germany and Luxembourg at SMARD, and the regions whose files have it
_SMARD_PRICE, _SMARD_REGIONS = 4169, ("DE", "DE-LU")
_COUNTRIES = {"DE-LU": "de", "AT": "at"}
_MS = 1000
# the week in which summer time begins has an hour less, and the one in which it ends an hour more
_MIN_WEEK_MS, _MAX_WEEK_MS = (7 * 24 - 1) * 3600 * _MS, (7 * 24 + 1) * 3600 * _MS


class PriceSourceError(Exception):
    """A clause that says why a source gave no prices: "it answers 500"."""


class PriceSource(Struct, frozen=True):
    """`fetch(zone, quarters)` raises PriceSourceError. `zones` are those that it has; None: any."""

    name: str
    fetch: Callable[[str, range], Prices]
    zones: frozenset[str] | None = None

    def has(self, zone: str) -> bool:
        return self.zones is None or zone in self.zones

    def prices(self, zone: str, quarters: range) -> Prices:
        """Those of the period alone. Raises PriceSourceError."""
        try:
            found = self.fetch(zone, quarters)
        except BadAnswer as error:
            raise PriceSourceError(f"its answer cannot be used: {error}") from None
        return {quarter: price for quarter, price in found.items() if quarter in quarters}


class SourceAddresses(Struct, frozen=True):
    """Empty: that source is not asked. With `file`, a path or a URL, no other one is."""

    energy_charts: Address = Address()
    smard: Address = Address()
    awattar: Address = Address()
    file: Address = Address()


def price_sources(addresses: SourceAddresses) -> tuple[PriceSource, ...]:
    if addresses.file:
        return (PriceSource("file", partial(_file, addresses.file)),)
    sources = (
        (
            addresses.energy_charts,
            PriceSource("energy-charts", partial(_energy_charts, addresses.energy_charts), frozenset(ZONES)),
        ),
        (addresses.smard, PriceSource("smard", partial(_smard, addresses.smard), frozenset(("DE-LU",)))),
        (addresses.awattar, PriceSource("awattar", partial(_awattar, addresses.awattar), frozenset(_COUNTRIES))),
    )
    return tuple(source for address, source in sources if address)


def _energy_charts(address: Address, zone: str, quarters: range) -> Prices:
    # both ends are included
    begin_s, end_s = quarters.start * QUARTER_S, quarters.stop * QUARTER_S - 1
    body = _get(address, f"/price?bzn={zone}&start={begin_s}&end={end_s}")
    return energy_charts_prices(body) if body else {}


def _smard(address: Address, _zone: str, quarters: range) -> Prices:
    """Files of weeks: those of hours until the market had quarters, and those of quarters since."""
    hours = range(quarters.start, min(quarters.stop, FIRST_QUARTERLY))
    own = range(max(quarters.start, FIRST_QUARTERLY), quarters.stop)
    before = _smard_weeks(address, "hour", hours) if hours else {}
    return {**before, **(_smard_weeks(address, "quarterhour", own) if own else {})}


def _smard_weeks(address: Address, resolution: str, quarters: range) -> Prices:
    begin_ms, end_ms = (edge * QUARTER_S * _MS for edge in (quarters.start, quarters.stop))
    for region in _SMARD_REGIONS:
        folder = f"/{_SMARD_PRICE}/{region}"
        if index := _get(address, f"{folder}/index_{resolution}.json"):
            weeks = [week for week in smard_weeks(index) if begin_ms - _MAX_WEEK_MS < week < end_ms]
            if len(weeks) > (end_ms - begin_ms) // _MIN_WEEK_MS + 2:
                # each is a request
                raise BadAnswer(f"it names {len(weeks):,} weeks for one period")
            files = (f"{folder}/{_SMARD_PRICE}_{region}_{resolution}_{week}.json" for week in weeks)
            bodies = [_get(address, file) for file in files]
            return {quarter: price for body in bodies if body for quarter, price in smard_prices(body).items()}
    return {}


def _awattar(address: Address, zone: str, quarters: range) -> Prices:
    country = Address(address.reveal().replace("{country}", _COUNTRIES[zone]))
    begin_ms, end_ms = (edge * QUARTER_S * _MS for edge in (quarters.start, quarters.stop))
    body = _get(country, f"/v1/marketdata?start={begin_ms}&end={end_ms}")
    return awattar_prices(body) if body else {}


def _file(address: Address, _zone: str, _quarters: range) -> Prices:
    if address.scheme in ("http", "https"):
        body = _get(address, "")
        return evcc_prices(body) if body else {}
    return evcc_prices(read_file(Path(address.reveal().removeprefix("file:")).expanduser()))


def read_file(path: Path) -> bytes:
    """Raises PriceSourceError."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no file name"
        raise PriceSourceError(f"it cannot be read: {reason}") from None
    if len(body) > MAX_FILE_BYTES:
        raise PriceSourceError(f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    return body


def _get(address: Address, path: str) -> bytes:
    """The body of an answer; empty where there is nothing at this address. Raises PriceSourceError."""
    try:
        request = HttpRequest(address, f"{address.rest.rstrip('/')}{path}" or "/", max_bytes=MAX_BYTES)
        timer = Timer(ANSWER_WITHIN_S, request.abort)
        timer.daemon = True
        timer.start()
        try:
            answer = request.send()
        finally:
            timer.cancel()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PriceSourceError(_reason(error)) from None
    if answer.status == HTTPStatus.NOT_FOUND:
        return b""
    if answer.status != HTTPStatus.OK:
        raise PriceSourceError(f"it answers {answer.status}")
    if not answer.body:
        # also where a connection ends within the head of an answer
        raise PriceSourceError("its answer is empty")
    if len(answer.body) > MAX_BYTES:
        raise PriceSourceError(f"its answer is larger than {MAX_BYTES // 1000} kB")
    return answer.body


def _reason(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case TimeoutError():
            return "it does not answer in time"
        case OSError() if error.strerror:
            return f"it cannot be reached: {error.strerror}"
    return "it cannot be reached, or does not speak HTTP"
