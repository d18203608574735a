"""A stand-in for those who publish spot prices: a real HTTP server on loopback, which answers as they document."""

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import trustme

from iskra_server.base.address import Address
from iskra_server.history.model.spot_price import MARKET, quarters_of_days
from iskra_server.prices.price_sources import SourceAddresses

# what it answers instead of prices
Fault = Literal["", "500", "404", "redirect", "slow head", "slow body", "huge", "html", "text", "wrong", "closed"]
DAY = timedelta(days=1)


def price_of(quarter: int) -> Decimal:
    """Another one each quarter of a day, some below 0."""
    return Decimal(quarter % 96 * 137 - 1500).scaleb(-2)


def priced(first: date, end: date | None = None) -> dict[int, Decimal]:
    """The prices of the delivery days from `first` until before `end`; of one day without it."""
    return {quarter: price_of(quarter) for quarter in quarters_of_days(first, end or first + DAY)}


class StandIn:
    """`prices` is what it has published; `fault` says how it fails, `only` which source does."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.prices: Mapping[int, Decimal] = {}
        self.fault: Fault = ""
        self.only = ""
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []

    @property
    def addresses(self) -> SourceAddresses:
        return SourceAddresses(
            energy_charts=Address(f"{self.url}/energy-charts"),
            smard=Address(f"{self.url}/smard"),
            awattar=Address(f"{self.url}/awattar-{{country}}"),
        )

    @property
    def settings(self) -> dict[str, str]:
        """As variables of a server."""
        return {
            "IES_PRICES_ENERGY_CHARTS_URL": f"{self.url}/energy-charts",
            "IES_PRICES_SMARD_URL": f"{self.url}/smard",
            "IES_PRICES_AWATTAR_URL": f"{self.url}/awattar-{{country}}",
        }

    def asked(self) -> list[str]:
        """The sources of the requests, in order."""
        return [path.split("/")[1] for path in self.requests]

    def body(self, path: str) -> bytes | None:
        """None: there is nothing at this path."""
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        source = parts.path.split("/")[1]
        if source == "energy-charts":
            begin_s, end_s = int(query["start"]), int(query["end"])
            return energy_charts({q: p for q, p in self.prices.items() if begin_s <= q * 900 <= end_s})
        if source == "smard":
            return self._smard(parts.path)
        if source.startswith("awattar"):
            begin_ms, end_ms = int(query["start"]), int(query["end"])
            return awattar({q: p for q, p in self.prices.items() if begin_ms <= q * 900_000 < end_ms})
        if source == "evcc":
            return evcc(self.prices)
        return None

    def _smard(self, path: str) -> bytes | None:
        # the second region that is tried
        if "/4169/DE-LU/" not in path:
            return None
        resolution = "quarterhour" if "quarterhour" in path else "hour"
        weeks = sorted({_week(quarter) for quarter in self.prices})
        if path.endswith(f"/index_{resolution}.json"):
            return json.dumps({"timestamps": [week * 1000 for week in weeks]}).encode()
        week_s = int(path.rpartition("_")[2].removesuffix(".json")) // 1000
        return smard({q: p for q, p in self.prices.items() if _week(q) == week_s}, resolution)


def _week(quarter: int) -> int:
    """Monday, 00:00 local time, of the week of a quarter, in Unix seconds."""
    day = datetime.fromtimestamp(quarter * 900, MARKET).date()
    monday = day - timedelta(days=day.weekday())
    return quarters_of_days(monday, monday + DAY).start * 900


def energy_charts(prices: Mapping[int, Decimal | None], step: int = 1) -> bytes:
    """`step` 4: those of hours."""
    chosen = {quarter: price for quarter, price in prices.items() if quarter % step == 0}
    values = ",".join("null" if price is None else str(price) for price in chosen.values())
    begins = ",".join(str(quarter * 900) for quarter in chosen)
    return (
        '{"license_info":"CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de",'
        f'"unix_seconds":[{begins}],"price":[{values}],"unit":"EUR / MWh","deprecated":false}}'
    ).encode()


def smard(prices: Mapping[int, Decimal | None], resolution: str = "quarterhour") -> bytes:
    step = 4 if resolution == "hour" else 1
    rows = ",".join(
        f"[{quarter * 900_000},{'null' if price is None else price}]"
        for quarter, price in prices.items()
        if quarter % step == 0
    )
    return f'{{"meta_data":{{"version":1,"created":1}},"series":[{rows}]}}'.encode()


def awattar(prices: Mapping[int, Decimal]) -> bytes:
    """Of each whole hour the price of its first quarter."""
    rows = ",".join(
        f'{{"start_timestamp":{quarter * 900_000},"end_timestamp":{(quarter + 4) * 900_000},'
        f'"marketprice":{price},"unit":"Eur/MWh"}}'
        for quarter, price in prices.items()
        if quarter % 4 == 0
    )
    return f'{{"object":"list","data":[{rows}],"url":"/de/v1/marketdata"}}'.encode()


def evcc(prices: Mapping[int, Decimal]) -> bytes:
    """In EUR/kWh."""
    rows = ",".join(
        f'{{"start":"{_moment(quarter)}","end":"{_moment(quarter + 1)}","value":{price.scaleb(-3):f}}}'
        for quarter, price in prices.items()
    )
    return f"[{rows}]".encode()


def _moment(quarter: int) -> str:
    return f"{datetime.fromtimestamp(quarter * 900, UTC):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def stand_in(certificate: trustme.LeafCert | None = None) -> Iterator[StandIn]:
    """With a certificate it speaks TLS."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.source = source = StandIn(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield source
    finally:
        source.fault = ""
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    source: StandIn

    def handle_error(self, *_: object) -> None:
        """A client that gives up, or trusts no certificate, is meant."""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at the requests."""

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        source = self.server.source
        source.requests.append(self.path)
        source.headers.append(dict(self.headers))
        fault = source.fault if source.only in self.path.split("/")[1] else ""
        if fault in ("", "404"):
            body = None if fault else source.body(self.path)
            self._send(404 if body is None else 200, body or b'{"detail":"Not Found"}')
        elif fault == "closed":
            self.close_connection = True
        elif fault.startswith("slow"):
            self.wfile.write(b"HTTP/1.0 200 OK\r\n" + (b"\r\n" if fault == "slow body" else b"X-Wait: "))
            while source.fault == fault:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
        else:
            status, content = _FAULTS[fault]
            self._send(status, content, f"{source.url}/evcc" if fault == "redirect" else "")

    def _send(self, status: int, body: bytes, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)


_FAULTS = {
    "500": (500, b""),
    "redirect": (302, b""),
    "huge": (200, b"[" + b" " * 1_200_000 + b"]"),
    "html": (200, b"<html><body>Wartung</body></html>"),
    "text": (200, b'{"unix_seconds":["now"],"price":[1],"unit":"EUR / MWh"}'),
    "wrong": (200, b'{"unix_seconds":[1795215600],"price":[1,2],"unit":"EUR / MWh"}'),
}
