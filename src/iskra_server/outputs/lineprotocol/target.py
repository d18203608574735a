"""Where points are written to, and what an answer means: taken, refused for ever, or to be tried again.

/write?db=...                   InfluxDB 1, VictoriaMetrics, QuestDB
/api/v2/write?bucket=...&org=   InfluxDB 2 and 3, where a bucket is configured
"""

from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote, urlencode, urlsplit

import httpx

TIMEOUT_S = 10.0
_SHOWN_CHARACTERS = 200
# the points themselves are at fault; everything else may change without them
_REFUSALS = (400, 413, 422)


class Unavailable(Exception):
    """Points cannot be delivered now: one sentence, with the next step."""


class Refused(Exception):
    """The other side will never take these points; its reason."""


class Target(NamedTuple):
    """`shown` is its address without what is secret, `place` the database or bucket."""

    url: str
    headers: dict[str, str]
    shown: str
    place: str


def target_of(
    *,
    url: str,
    token: str = "",
    user: str = "",
    password: str = "",
    database: str = "",
    org: str = "",
    bucket: str = "",
) -> Target:
    """ValueError says in a sentence what is wrong with the url."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("it must be an address such as http://192.168.1.20:8086")
    _ = parts.port  # raises ValueError for one that no machine has
    if not token.isascii():
        raise ValueError("outputs.influx.token has letters that no token has")
    host = parts.netloc.rpartition("@")[2]
    shown = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
    user, password = user or unquote(parts.username or ""), password or unquote(parts.password or "")
    place = {"bucket": bucket, "org": org} if bucket else {"db": database}
    path = "/api/v2/write" if bucket else "/write"
    query = urlencode({name: text for name, text in place.items() if text} | {"precision": "ms"})
    return Target(f"{shown}{path}?{query}", _authorization(token, user, password), shown, bucket or database)


async def write(client: httpx.AsyncClient, target: Target, lines: bytes) -> None:
    """Deliver lines. Raises Unavailable or Refused."""
    try:
        answer = await client.post(target.url, content=lines, headers=target.headers, timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
        raise Unavailable(
            f"{target.shown} cannot be reached ({_reason(error)}). Start it, or correct outputs.influx.url."
        ) from error
    status = answer.status_code
    if answer.is_success:
        return
    said = " ".join(answer.text.split())[:_SHOWN_CHARACTERS] or answer.reason_phrase
    if status in _REFUSALS:
        raise Refused(f"{status} {said}")
    if status in (401, 403):
        fix = "Correct outputs.influx.token, or user and password."
        raise Unavailable(f"{target.shown} refuses who we say we are ({status}). {fix}")
    if status == 404:
        fix = f"Create {target.place}, or correct outputs.influx.url, database or bucket."
        raise Unavailable(f"{target.shown} does not know where to write ({said}). {fix}")
    raise Unavailable(f"{target.shown} does not take points ({status} {said}). Look into its log.")


def _authorization(token: str, user: str, password: str) -> dict[str, str]:
    headers = {"content-type": "text/plain; charset=utf-8"}
    if token:
        headers["authorization"] = f"Token {token}"
    elif user:
        headers["authorization"] = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    return headers


def _reason(error: httpx.HTTPError) -> str:
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
