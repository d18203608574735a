"""A bridge that serves the newest telegram of its head over HTTP, such as that of Tibber Pulse, asked again and again.

    http://USER:PASSWORD@HOST                               /data.json?node_id=1, the first head of the bridge
    http://USER:PASSWORD@HOST/data.json?node_id=2&poll_s=5  every 5 s

The answer is the telegram as the meter sent it, in spite of its name; newer firmware calls it /node_data.json. A bridge
serves the last telegram for ever, also when its head has lost its battery. So a telegram counts only if it has changed
since the answer before: the first one after the start, or after a failure, may be old. Some answers are cut off. One
whose own time goes back is old too (served_times.py).
"""

import asyncio
import http.client
import ssl
import time
from collections import deque
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode

from iskra_server.base.address import Address, is_host
from iskra_server.base.clock import boottime_s
from iskra_server.base.http_request import MAX_BYTES, TIMEOUT_S, Answer, HttpRequest
from iskra_server.base.threads import in_daemon_thread
from iskra_server.sources.errors import SourceError, network_error
from iskra_server.sources.payload import PayloadDecoder
from iskra_server.sources.reconnect import Line, Reconnecting, Report
from iskra_server.sources.served_times import ServedTimes
from iskra_server.sources.source import FormatProblem, SourceState, plain_problem
from iskra_server.sources.source_options import seconds_between_polls

# a head sends every 2 to 3 s; a bridge bears a request a second
POLL_S = 2.0
# a telegram is as old as the period at most when it counts, and a reading is stale after 60 s
MIN_POLL_S, MAX_POLL_S = 0.5, 60.0
# the head sends nothing any more
REPEATED_S = 30.0
# failures in a row that are no news
MAX_FAILURES = 2
# a bridge that was restarted is asked again soon
MAX_WAIT_S = 10.0
# answers that are remembered: after a damaged one, the old one may come again
_REMEMBERED = 4
_PATH = "/data.json"
# firmware 1794 renamed it
_OTHER_NAME = {"/data.json": "/node_data.json", "/node_data.json": "/data.json"}


class Bridge:
    """Asks for the telegram of a head, and tells a new one from one that is served again."""

    def __init__(self, address: Address, path: str, max_pause_s: float) -> None:
        self._address = address
        self._path = path
        self._max_pause_s = max_pause_s
        self._asked_s = float("-inf")
        self._times = ServedTimes()
        # the last answers, and whether each was new
        self._served: deque[tuple[bytes, bool]] = deque(maxlen=_REMEMBERED)

    async def ask(self) -> bytes:
        """The bytes of a new telegram, b"" while an old one is served again. Raises SourceError."""
        before_s, self._asked_s = self._asked_s, boottime_s()
        if self._asked_s - before_s > self._max_pause_s:
            # the computer was suspended: nobody knows how old the next telegram is
            self._served.clear()
        try:
            return await self._ask()
        except SourceError:
            self._served.clear()
            raise

    async def _ask(self) -> bytes:
        answer = await self._answer(self._path)
        path, question, query = self._path.partition("?")
        if answer.status == HTTPStatus.NOT_FOUND and path in _OTHER_NAME:
            other = _OTHER_NAME[path] + question + query
            answer = await self._answer(other)
            if answer.status == HTTPStatus.OK:
                self._path = other
        body = self._body(answer)
        data = PayloadDecoder().decode(body)
        if data is None:
            raise SourceError("only_values", port=str(self._address))
        return data if self._is_new(body) and not self._times.is_old(data, self._asked_s) else b""

    def _is_new(self, body: bytes) -> bool:
        """Remembers the body. After a telegram that was cut off, all of it is as new as that."""
        is_new = bool(self._served)
        for place, (served, was_new) in enumerate(self._served):
            if served.startswith(body):
                return False
            if body.startswith(served):
                self._served[place] = body, was_new
                return was_new
        self._served.append((body, is_new))
        return is_new

    async def _answer(self, path: str) -> Answer:
        request = HttpRequest(self._address, path)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await in_daemon_thread(request.send)
        except http.client.HTTPException as error:
            raise self._not_a_bridge(type(error).__name__) from None
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or "TLS"
            raise SourceError("unreachable", port=str(self._address), reason=reason) from None
        except (OSError, UnicodeError) as error:
            raise network_error(self._address, error) from None
        finally:
            request.abort()

    def _body(self, answer: Answer) -> bytes:
        """Raises SourceError where the answer is not that of a bridge with a telegram."""
        port, status, body = str(self._address), answer.status, answer.body
        match status:
            case HTTPStatus.OK if not body.strip():
                raise SourceError("http_empty", port=port)
            case HTTPStatus.OK if body.lstrip()[:1] == b"<" or "text/html" in answer.content_type:
                raise self._not_a_bridge("HTML")
            case HTTPStatus.OK if len(body) > MAX_BYTES:
                raise self._not_a_bridge(f"> {MAX_BYTES // 1024} kB")
            case HTTPStatus.OK:
                return body
            case HTTPStatus.NO_CONTENT:
                raise SourceError("http_empty", port=port)
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                raise SourceError("http_password", port=port, status=str(status))
            case HTTPStatus.NOT_FOUND:
                is_known = self._path.partition("?")[0] in _OTHER_NAME
                raise SourceError("http_no_node" if is_known else "http_no_page", port=port)
            case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise SourceError("http_failure", port=port, status=str(status))
        raise self._not_a_bridge(f"HTTP {status}")

    def _not_a_bridge(self, reason: str) -> SourceError:
        return SourceError("http_not_a_bridge", port=str(self._address), reason=reason)


class BridgeLine(Line):
    """A bridge whose head sends: `read` polls until the next new telegram."""

    def __init__(self, port: str, bridge: Bridge, poll_s: float, telegram: bytes) -> None:
        self.port = port
        self._bridge = bridge
        self._poll_s = poll_s
        self._telegram = telegram
        self._failures = 0

    async def read(self) -> bytes:
        data, self._telegram = self._telegram, b""
        changed_s = time.monotonic()
        while not data:
            if not self._failures and time.monotonic() - changed_s > repeated_s(self._poll_s):
                raise _repeated(self.port, self._poll_s)
            await asyncio.sleep(self._poll_s)
            data = await self._ask()
        return data

    async def _ask(self) -> bytes:
        try:
            data = await self._bridge.ask()
        except SourceError:
            self._failures += 1
            if self._failures > MAX_FAILURES:
                raise
            return b""
        self._failures = 0
        return data

    async def close(self) -> None:
        """Each request has a connection of its own."""


def http_source(
    url: str | Address, *, poll_s: float = POLL_S, format_problem: FormatProblem = plain_problem
) -> Reconnecting:
    """`http://USER:PASSWORD@HOST/data.json?node_id=1&poll_s=2`; raises ValueError with a sentence."""
    address = Address(url)
    port = str(address)
    try:
        has_host = is_host(address.host) and (address.port or True)
    except ValueError:
        has_host = False
    if not has_host:
        raise ValueError(f"{address} must be http://USER:PASSWORD@HOST/data.json?node_id=1.")
    path, poll_s = _path_and_period(address, poll_s)
    bridge = Bridge(address, path, repeated_s(poll_s))

    async def open_line(report: Report) -> BridgeLine:
        """Open is a bridge that has served a new telegram."""
        began_s = time.monotonic()
        while not (telegram := await bridge.ask()):
            if time.monotonic() - began_s > repeated_s(poll_s):
                error = _repeated(port, poll_s)
                report(SourceState(port, is_open=False, problem=error.problem, details=error.details))
            await asyncio.sleep(poll_s)
        return BridgeLine(port, bridge, poll_s, telegram)

    return Reconnecting(url=port, port=port, connect=open_line, max_wait_s=MAX_WAIT_S, format_problem=format_problem)


def repeated_s(poll_s: float) -> float:
    """How long the same telegram may be served."""
    return max(REPEATED_S, 3 * poll_s)


def _repeated(port: str, poll_s: float) -> SourceError:
    return SourceError("http_repeated", port=port, seconds=f"{repeated_s(poll_s):.0f}")


def _path_and_period(address: Address, poll_s: float) -> tuple[str, float]:
    """The path with the options of the bridge, and the seconds between two requests. Raises ValueError."""
    path, _, query = address.rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if (text := options.pop("poll_s", None)) is not None:
        poll_s = seconds_between_polls(address, text, MIN_POLL_S, MAX_POLL_S)
    path = _PATH if path in ("", "/") else path
    if path in _OTHER_NAME:
        options.setdefault("node_id", "1")
    return quote(path, safe="/%") + (f"?{urlencode(options)}" if options else ""), poll_s
