"""The address of the database, and what its answer means: accepted, refused for good, or retry.

/write?db=...                   InfluxDB 1, VictoriaMetrics, QuestDB
/api/v2/write?bucket=...&org=   InfluxDB 2 and 3, where a bucket is configured

All of them answer 204 when they have accepted the points. 200 comes from another program, such as a web page. Of any
other answer the beginning is read.
"""

import asyncio
from base64 import b64encode
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode

import httpx

from iskra_server.base.address import host_in_url, is_host
from iskra_server.base.language import Bilingual, BilingualError, in_both
from iskra_server.base.one_line import one_line
from iskra_server.base.secret import Secret, masking
from iskra_server.config import ConfigError, InfluxConfig

# without progress, and in total: an answer may arrive byte by byte
TIMEOUT_S = 10.0
TOTAL_S = 60.0
_READ_BYTES = 4096
# the points themselves are wrong; any other error may disappear
_REFUSALS = (400, 413, 422)
_UNREACHABLE = (
    "{place} cannot be reached ({reason}). Start it, or correct outputs.influx.url.",
    "{place} ist nicht erreichbar ({reason}). Starten Sie die Datenbank, oder korrigieren Sie outputs.influx.url.",
)
_CREDENTIALS = (
    "{place} refuses the credentials ({status}). Correct outputs.influx.token, or user and password.",
    "{place} lehnt die Zugangsdaten ab ({status}). Korrigieren Sie outputs.influx.token oder Benutzer und Passwort.",
)
_ANSWERS: dict[int | str, Bilingual] = {
    "not_a_database": (
        "{place} answers {status}, where a database answers 204. It is another program, or a proxy before the "
        "database. Correct outputs.influx.url.",
        "{place} antwortet {status}, eine Datenbank antwortet 204. Es ist ein anderes Programm oder ein Proxy vor der "
        "Datenbank. Korrigieren Sie outputs.influx.url.",
    ),
    401: _CREDENTIALS,
    403: _CREDENTIALS,
    404: (
        "{place} has no such database or bucket ({said}). Create {name}, or correct outputs.influx.url, "
        "database or bucket.",
        "{place} hat diese Datenbank oder diesen Bucket nicht ({said}). Legen Sie {name} an, oder korrigieren Sie "
        "outputs.influx.url, database oder bucket.",
    ),
    "other": (
        "{place} does not accept points ({status} {said}). Check its log.",
        "{place} nimmt keine Messpunkte an ({status} {said}). Sehen Sie im Protokoll der Datenbank nach.",
    ),
}


class Unavailable(BilingualError):
    """Points cannot be delivered now: a sentence with what to do."""


class PointsRefused(Exception):
    """The database will never accept these points; its reason."""


class Target(NamedTuple):
    """`shown` is the address without secrets, `place` the database or bucket.

    `secrets` are masked in the text of answers.
    """

    url: str
    authorization: Secret
    shown: str
    place: str
    secrets: tuple[Secret, ...]


def target_of(config: InfluxConfig) -> Target:
    """Raises ConfigError."""
    try:
        return _target(config)
    except ValueError as error:
        raise ConfigError(f"outputs.influx.url cannot be used: {error}.") from error


def _target(config: InfluxConfig) -> Target:
    """Raises ValueError."""
    url, token = config.url, config.token
    if url.scheme not in ("http", "https") or not is_host(url.host) or set(url.rest) & set("?#"):
        raise ValueError("it must be an address such as http://192.168.1.20:8086")
    port = url.port
    if not all("!" <= sign <= "~" for sign in token.reveal()):
        raise ConfigError("outputs.influx.token has characters that no token has.")
    host = host_in_url(url.host)
    shown = f"{url.scheme}://{host}{f':{port}' if port else ''}{url.rest.rstrip('/')}"
    bucket = config.bucket
    place = {"bucket": bucket, "org": config.org} if bucket else {"db": config.database}
    path = "/api/v2/write" if bucket else "/write"
    query = urlencode({name: text for name, text in place.items() if text} | {"precision": "ms"})
    user, password = config.user or url.user, config.password or url.password
    credentials = Secret(f"{user}:{password.reveal()}")
    return Target(
        url=f"{shown}{path}?{query}",
        authorization=_authorization(token, credentials if user else Secret()),
        shown=shown,
        place=bucket or config.database,
        secrets=(token, credentials, password),
    )


async def write(client: httpx.AsyncClient, target: Target, lines: bytes) -> None:
    """Deliver lines. Raises Unavailable or PointsRefused."""
    try:
        async with (
            asyncio.timeout(TOTAL_S),
            client.stream(
                "POST", target.url, content=lines, headers=_headers(target), timeout=TIMEOUT_S, follow_redirects=False
            ) as answer,
        ):
            # each answer could add more of them
            client.cookies.clear()
            if answer.status_code == HTTPStatus.NO_CONTENT:
                return
            answer_text = masking(target.secrets)(await _beginning(answer))
    except (httpx.HTTPError, TimeoutError) as error:
        reason = _reason(error)
        raise Unavailable(in_both(_UNREACHABLE, place=target.shown, reason=reason)) from error
    status = answer.status_code
    if status in _REFUSALS:
        raise PointsRefused(f"{status} {answer_text}")
    row = _ANSWERS["not_a_database"] if answer.is_success else _ANSWERS.get(status, _ANSWERS["other"])
    raise Unavailable(in_both(row, place=target.shown, status=status, said=answer_text, name=target.place))


async def _beginning(answer: httpx.Response) -> str:
    """The beginning of an answer. A compressed one is not read: a few bytes may expand to millions."""
    body = b""
    if "content-encoding" not in answer.headers:
        async for part in answer.aiter_raw():
            body += part[:_READ_BYTES]
            if len(body) >= _READ_BYTES:
                break
    return one_line(body[:_READ_BYTES].decode(errors="replace")) or answer.reason_phrase


def _authorization(token: Secret, credentials: Secret) -> Secret:
    if token:
        return Secret(f"Token {token.reveal()}")
    return Secret(f"Basic {b64encode(credentials.reveal().encode()).decode()}" if credentials else "")


def _headers(target: Target) -> dict[str, str]:
    shown = {"authorization": target.authorization.reveal()} if target.authorization else {}
    return {"content-type": "text/plain; charset=utf-8", "accept-encoding": "identity"} | shown


def _reason(error: httpx.HTTPError | TimeoutError) -> str | Bilingual:
    is_late = isinstance(error, (httpx.TimeoutException, TimeoutError))
    return ("no answer in time", "keine rechtzeitige Antwort") if is_late else str(error) or type(error).__name__
