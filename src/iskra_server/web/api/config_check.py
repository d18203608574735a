"""POST /api/v1/config/check: what is wrong with the text of a configuration. It changes nothing.

The only route with a body: it is TOML, and too long for an address. Nothing that it names is opened.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from iskra_server.cost.meter_names import NamedMeter
from iskra_server.cost.text_findings import PlacedFinding, text_findings
from iskra_server.history.store import StoreError
from iskra_server.web.api.meters import Meters
from iskra_server.web.http.endpoint import TOO_MANY, Body, Context, Endpoint, Result, error_response, failure
from iskra_server.web.http.problem import problem
from iskra_server.web.http.responses import json_response
from iskra_server.web.http.share import Disconnected, TooManyRequests, client_of

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

# connection.py answers 413 to more than 16 kB, too
_MAX_BYTES = 12_000
_READ_S = 10.0
# in history; a central server has a million
_MAX_METERS = 1_000


class ConfigFinding(Struct, frozen=True):
    """`key` counts entries of lists from 1, as in contracts.1.energy.price; `expected` is what its value must be."""

    level: Literal["error", "warning"]
    sentence: str
    sentence_de: str
    key: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    expected: str | UnsetType = UNSET
    expected_de: str | UnsetType = UNSET


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
        check = partial(_placed_findings, text, today, _live_meters(context), context.server.store())
        found = await context.threads.run(client_of(request.scope), request.receive, check)
    except (TooManyRequests, Disconnected) as error:
        return error_response(error)
    findings = [
        ConfigFinding(
            placed.finding.level,
            placed.finding.sentence,
            placed.finding.german or placed.finding.sentence,
            placed.finding.key or UNSET,
            placed.line or UNSET,
            placed.finding.expected or UNSET,
            placed.finding.expected_german or UNSET,
        )
        for placed in found
    ]
    return json_response(ConfigCheck(all(finding.level != "error" for finding in findings), findings))


def _live_meters(context: Context) -> list[NamedMeter]:
    """Those that are being read."""
    meters = Meters(context.server)
    is_production = context.server.hub.is_production
    return [
        NamedMeter(view.id, view.server_id or "", is_production(view.id)) for view in map(meters.view, meters.ids())
    ]


def _placed_findings(text: str, today: date, live: list[NamedMeter], reads: "Reads | None") -> list[PlacedFinding]:
    # loaded with the first check: a server that checks none needs nothing of it
    from iskra_server.outputs.notify.channel import channel_problems  # noqa: PLC0415

    recorded: list[NamedMeter] = []
    with suppress(StoreError):
        # the contracts of a meter that another one has replaced do not count for that one
        infos = [info for info in reads.first_meters(_MAX_METERS) if info.replaced_by is None] if reads else []
        recorded = [NamedMeter(info.meter_id, info.server_id) for info in infos]
    return text_findings(text, today, [*live, *recorded], channel_problems)


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
