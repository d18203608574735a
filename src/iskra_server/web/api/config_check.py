"""POST /api/v1/config/check: what is wrong with the text of a configuration. It changes nothing.

The only route with a body: it is TOML, and too long for an address. Nothing that it names is opened.
"""

import asyncio
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from iskra_server.cost.text_findings import text_findings
from iskra_server.web.http.endpoint import TOO_MANY, Body, Context, Endpoint, Result, error_response, failure
from iskra_server.web.http.problem import problem
from iskra_server.web.http.responses import json_response
from iskra_server.web.http.share import Disconnected, TooManyRequests, client_of

# with its headers, a request has room for 16 kB (connection.py)
_MAX_BYTES = 12_000
_READ_S = 10.0


class ConfigFinding(Struct, frozen=True):
    """`key` counts entries of lists from 1, as in contracts.1.energy.price; `expected` is what its value must be."""

    level: Literal["error", "warning"]
    sentence: str
    key: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    expected: str | UnsetType = UNSET


class ConfigCheck(Struct, frozen=True):
    """`ok`: there is no error. Warnings do not keep a configuration from being used."""

    ok: bool
    findings: list[ConfigFinding]


async def _check(context: Context, request: Request) -> Response:
    try:
        body = await _body(request)
    except ClientDisconnect:
        # nobody reads the answer; as an error it would fill the log
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    if body is None:
        sentence = f"A configuration has at most {_MAX_BYTES:,} bytes here, sent within {_READ_S:g} s."
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence, reason="too_large")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return problem(HTTPStatus.BAD_REQUEST, "The body is not text in UTF-8.", reason="bad_request")
    today = datetime.now(UTC).astimezone(ZoneInfo(context.settings.tz)).date()
    try:
        found = await context.threads.run(
            client_of(request.scope), request.receive, partial(text_findings, text, today)
        )
    except (TooManyRequests, Disconnected) as error:
        return error_response(error)
    findings = [
        ConfigFinding(
            placed.finding.level,
            placed.finding.sentence,
            placed.finding.key or UNSET,
            placed.line or UNSET,
            placed.finding.expected or UNSET,
        )
        for placed in found
    ]
    return json_response(ConfigCheck(all(finding.level != "error" for finding in findings), findings))


async def _body(request: Request) -> bytes | None:
    """None where it is too long, or takes too long. Raises ClientDisconnect."""
    body = b""
    try:
        async with asyncio.timeout(_READ_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BYTES:
                    return None
    except TimeoutError:
        return None
    return body


ENDPOINT = Endpoint(
    "/api/v1/config/check",
    "config_check",
    "Check the text of a configuration in TOML. It changes nothing, and opens nothing that it names.",
    {
        200: Result("all mistakes, and what is probably not meant", ConfigCheck),
        400: failure("the body is not text"),
        413: failure(f"the body has more than {_MAX_BYTES:,} bytes"),
        429: TOO_MANY,
    },
    _check,
    method="POST",
    body=Body("the text, such as a section [[contracts]]", ("text/plain", "application/toml")),
)
