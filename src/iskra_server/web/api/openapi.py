"""GET /api/openapi.json: the description of every route, generated from the types that the answers are made of.

To add a route, add an operation to the table; a test holds the table and the routes of app.py equal.
"""

from typing import Any

import msgspec
from msgspec import Struct

from iskra_server.web.api import energy, fleet_answers, power, quarters, registers
from iskra_server.web.api.api import Health, HomeAssistant, MeterList
from iskra_server.web.api.cost import Cost
from iskra_server.web.api.cumulated import Cumulated, NoValue
from iskra_server.web.api.energy import Energy
from iskra_server.web.api.fleet_answers import FleetEnergy, FleetGroups, FleetMeters, FleetReaders
from iskra_server.web.api.live import LiveMeter
from iskra_server.web.api.meters import Meter
from iskra_server.web.api.power import Power
from iskra_server.web.api.quality import QualityDays, QualityList
from iskra_server.web.api.quarters import Quarters
from iskra_server.web.api.registers import RegisterValues
from iskra_server.web.api.status import ServerStatus
from iskra_server.web.api.support import Support
from iskra_server.web.http.problem import MEDIA_TYPE as PROBLEM_TYPE
from iskra_server.web.http.problem import Problem
from iskra_server.web.http.question import DEFAULT_FROM
from iskra_server.web.metrics.exposition import OPEN_METRICS, TEXT

_JSON = "application/json"
_STREAM = "text/event-stream"
_REF = "#/components/schemas/{name}"


class Answer(Struct, frozen=True):
    """What comes back: `content` is the type of the body, in a stream that of an event's data.

    `or_as` is another form of it, for who asks for that one by Accept.
    """

    description: str
    content: type
    media_type: str = _JSON
    or_as: str = ""


class Parameter(Struct, frozen=True):
    name: str
    place: str
    description: str
    schema: dict[str, Any]


class Operation(Struct, frozen=True):
    path: str
    name: str
    summary: str
    answers: dict[int, Answer]
    parameters: tuple[Parameter, ...] = ()


_TEXT = {"type": "string"}
_METER_NAME = "the label (1 ISK 00 12345678), the same without spaces, or the server id in hex"
_ID = Parameter("id", "path", _METER_NAME, _TEXT)
_PERIODS = "today, last_month and the like, 2026, 2026-11, 2026-11-22, or a moment such as 2026-11-22T10:00:00Z"
_TZ = Parameter("tz", "query", "the zone in which days begin, such as Europe/Berlin; the server's if absent", _TEXT)
_BUCKET = Parameter(
    "bucket",
    "query",
    "how long a bucket is; if absent 15min up to two days, hour up to two weeks, day up to three months, "
    "month up to five years, else year",
    {**_TEXT, "enum": list(energy.LENGTHS)},
)


def _period(at_most: str) -> tuple[Parameter, Parameter]:
    """`at_most` limits the period."""
    begins = f"where the period begins: {_PERIODS}"
    ends = f"the period ends where this ends; that of `from` if absent; at most {at_most}"
    return (
        Parameter("from", "query", begins, {**_TEXT, "default": DEFAULT_FROM}),
        Parameter("to", "query", ends, _TEXT),
    )


def _whole(name: str, description: str, default: int, most: int) -> Parameter:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter(name, "query", f"{description}; {default:,} if absent, at most {most:,}", schema)


def _from_history(description: str, content: type[Struct]) -> dict[int, Answer]:
    return {
        200: Answer(description, content),
        400: Answer("the sentence says what is wrong with the question", Problem, PROBLEM_TYPE),
        404: Answer("history knows no such meter; `meters` lists those that it knows", Problem, PROBLEM_TYPE),
        429: Answer("this client has too much waiting or running; ask again later", Problem, PROBLEM_TYPE),
        503: Answer("there is no history, or its database does not answer", Problem, PROBLEM_TYPE),
    }


_COLUMNS = ", ".join(fleet_answers.COLUMNS)
_AFTER = Parameter("after", "query", "the `next` of the page before", _TEXT)
_GROUP = Parameter("group", "query", "kind and value, such as building:7", _TEXT)
_FIND = Parameter("find", "query", "only meters with this in their number", _TEXT)

OPERATIONS = (
    Operation(
        "/api/electricity/cumulated",
        "cumulated",
        "The exact total of energy drawn, in kWh with every digit the meter sent. No fresh reading: 503 and no value.",
        {
            200: Answer("the total, and when its telegram arrived", Cumulated),
            404: Answer("no such meter", NoValue),
            503: Answer("there is no fresh reading; `reason` says why", NoValue),
        },
        (Parameter("meter", "query", f"which meter: {_METER_NAME}; the first one if absent", _TEXT),),
    ),
    Operation(
        "/api/v1/meters",
        "meters",
        "Every meter with every register. A meter that is not fresh has no registers.",
        {200: Answer("the meters in the order of their sources", MeterList)},
    ),
    Operation(
        "/api/v1/meters/{id}",
        "meter",
        "One meter with every register.",
        {
            200: Answer("the meter", Meter),
            404: Answer("no such meter; `meters` lists those that are known", Problem, PROBLEM_TYPE),
            503: Answer("the meter has no fresh reading; `last_seen` says when it had", Problem, PROBLEM_TYPE),
        },
        (_ID,),
    ),
    Operation(
        "/api/v1/meters/{id}/energy",
        "energy",
        "Energy drawn and fed in, bucket by bucket in local time, exact in Wh. Nothing measured: no number.",
        _from_history("the buckets, and what the counters showed at both ends", Energy),
        (
            _ID,
            *_period(f"{energy.MAX_BUCKETS:,} buckets"),
            _BUCKET,
            _TZ,
        ),
    ),
    Operation(
        "/api/v1/meters/{id}/power",
        "power",
        "A curve of power with least, mean and most, in W, + drawn, - fed in. Up to a day it is made of the telegrams, "
        "as long as they are kept, else of quarters of an hour.",
        _from_history("the points, and the gaps between them", Power),
        (
            _ID,
            *_period(f"{power.MAX_DAYS} days"),
            _whole("points", "how many points at most", power.DEFAULT_POINTS, power.MAX_POINTS),
            _TZ,
        ),
    ),
    Operation(
        "/api/v1/meters/{id}/quarters",
        "quarters",
        "Energy drawn and fed in, quarter of an hour by quarter, as columns: for pictures of a year. Exact, in Wh.",
        _from_history("the columns; null stands for a quarter that was not measured", Quarters),
        (_ID, *_period(f"{quarters.MAX_DAYS} days"), _TZ),
    ),
    Operation(
        "/api/v1/meters/{id}/cost",
        "cost",
        "What was paid by the configured contracts, bucket by bucket, and what the contract year will cost.",
        {
            **_from_history("the amounts, exact; the contract of today, and the forecast of its year", Cost),
            404: Answer("history knows no such meter, or no contract is configured for it", Problem, PROBLEM_TYPE),
        },
        (_ID, *_period(f"{energy.MAX_BUCKETS:,} buckets"), _BUCKET, _TZ),
    ),
    Operation(
        "/api/v1/meters/{id}/registers",
        "registers",
        "What the counters showed at :00 :15 :30 :45, exact in Wh: all of them at a moment, or one over a period.",
        _from_history("the values; `next` is the `from` of the next page", RegisterValues),
        (
            _ID,
            Parameter("at", "query", "each counter's last value at or before this moment; now if absent", _TEXT),
            Parameter("from", "query", f"instead of `at`, where a period begins: {_PERIODS}", _TEXT),
            Parameter("to", "query", "the period ends where this ends; that of `from` if absent", _TEXT),
            Parameter(
                "register",
                "query",
                f"one register, by name or OBIS code; of a period {registers.DEFAULT_REGISTER} if absent",
                _TEXT,
            ),
            _whole("limit", "how many values of a period", registers.DEFAULT_LIMIT, registers.MAX_LIMIT),
            _TZ,
        ),
    ),
    Operation(
        "/api/v1/fleet/meters",
        "fleet_meters",
        "A centre's meters, those that were silent longest first; page by page.",
        _from_history("a page of meters; `next` is the `after` of the next page", FleetMeters),
        (_AFTER, _whole("limit", "how many", fleet_answers.DEFAULT_LIMIT, fleet_answers.MAX_LIMIT), _GROUP, _FIND),
    ),
    Operation(
        "/api/v1/fleet/groups",
        "fleet_groups",
        "The groups of a kind, such as building, tenant or tariff, and how many meters each has.",
        _from_history("a page of groups", FleetGroups),
        (
            Parameter("kind", "query", "the kind of group; building if absent", _TEXT),
            _AFTER,
            _whole("limit", "how many", fleet_answers.DEFAULT_LIMIT, fleet_answers.MAX_LIMIT),
        ),
    ),
    Operation(
        "/api/v1/fleet/energy",
        "fleet_energy",
        "What the meters of a group took and fed in together, in each bucket of a period, exact in Wh; with how many "
        "of them are in each sum.",
        _from_history(
            f"at most {fleet_answers.MAX_BUCKETS:,} buckets, of at most {fleet_answers.MAX_READINGS:,} meter readings",
            FleetEnergy,
        ),
        (
            _GROUP,
            Parameter("from", "query", f"where the period begins: {_PERIODS}; today if absent", _TEXT),
            Parameter("to", "query", "the period ends where this ends; that of `from` if absent", _TEXT),
            Parameter("bucket", "query", "day if absent", {"type": "string", "enum": list(energy.LENGTHS)}),
            _TZ,
        ),
    ),
    Operation(
        "/api/v1/fleet/readers",
        "fleet_readers",
        "How every reader stands, and what is wrong first.",
        _from_history("a page of readers, by name", FleetReaders),
        (_AFTER, _whole("limit", "how many", fleet_answers.DEFAULT_LIMIT, fleet_answers.MAX_LIMIT)),
    ),
    Operation(
        "/api/v1/fleet/quarters.csv",
        "fleet_quarters",
        f"Every counter of a group at every quarter of a period, for billing. Columns: {_COLUMNS}.",
        {**_from_history("the rows", Problem), 200: Answer("the rows", str, "text/csv; charset=utf-8")},
        (
            _GROUP,
            Parameter("from", "query", f"where the period begins: {_PERIODS}; today if absent", _TEXT),
            Parameter("to", "query", "the period ends where this ends; that of `from` if absent", _TEXT),
            _TZ,
        ),
    ),
    Operation(
        "/api/v1/live",
        "live",
        "Server-sent events: `reading` for every telegram, `status` when a check changes.",
        {
            200: Answer("data of a `reading` event; it starts with the newest of every meter", LiveMeter, _STREAM),
            400: Answer("Last-Event-ID is no id of an event", Problem, PROBLEM_TYPE),
            503: Answer("as many streams are open as may be", Problem, PROBLEM_TYPE),
        },
        (Parameter("Last-Event-ID", "header", "the newest event that the client has seen", {"type": "integer"}),),
    ),
    Operation(
        "/api/v1/status",
        "status",
        "The checks from the device to a plausible value of every source: the first that fails, a sentence and the "
        "next step in English and German, and what else is worth knowing.",
        {200: Answer("how every source stands", ServerStatus)},
    ),
    Operation(
        "/api/v1/homeassistant",
        "homeassistant",
        "The YAML of Home Assistant's RESTful sensors for this server, ready to paste.",
        {
            200: Answer("the YAML, with every register of every fresh meter", HomeAssistant),
            400: Answer("url is no address of a server", Problem, PROBLEM_TYPE),
        },
        (Parameter("url", "query", "how Home Assistant reaches the server; the address asked if absent", _TEXT),),
    ),
    Operation(
        "/api/v1/quality",
        "quality",
        "How many telegrams of every source arrived whole within the last ten seconds: ask once a second while you "
        "move a head.",
        {200: Answer("the counts of every source; `valid_ratio` is null while no telegram begins", QualityList)},
    ),
    Operation(
        "/api/v1/quality/day",
        "qualityDay",
        "How many telegrams of every source arrived whole, and how many damaged, in each five minutes of a day.",
        {200: Answer("the counts of every source since the server started, none before", QualityDays)},
    ),
    Operation(
        "/metrics",
        "metrics",
        "For Prometheus: readings of fresh meters, exact; ages, quality of reception, history, outputs, the process.",
        {200: Answer("the text format, or OpenMetrics where `Accept` asks for it", str, TEXT, OPEN_METRICS)},
    ),
    Operation(
        "/api/v1/support",
        "support",
        "For a support bundle: the last telegrams of every source, masked, and the last lines of the log.",
        {
            200: Answer("what each source sent last; the same substitute for the same meter", Support),
            403: Answer("no token is configured, and the request is not from this machine", Problem, PROBLEM_TYPE),
        },
    ),
    Operation(
        "/healthz",
        "health",
        "Whether the process works; with meter=fresh also whether every meter delivers.",
        {
            200: Answer("all is well", Health),
            400: Answer("meter is something other than fresh", Problem, PROBLEM_TYPE),
            503: Answer("a meter is not fresh", Problem, PROBLEM_TYPE),
        },
        (Parameter("meter", "query", "fresh: every meter must be fresh", {"type": "string", "enum": ["fresh"]}),),
    ),
)


def document(version: str) -> bytes:
    """The OpenAPI 3.1 document as JSON."""
    refs, components = _schemas()
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "ISKRA Electricity Server",
                "version": version,
                "description": "What the electricity meter says, exactly. Read-only.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": {operation.path: {"get": _operation(operation, refs)} for operation in OPERATIONS},
            "components": {"schemas": components},
        }
    )


def _schemas() -> tuple[dict[type, dict[str, Any]], dict[str, Any]]:
    answers = [answer for operation in OPERATIONS for answer in operation.answers.values()]
    types = list(dict.fromkeys(answer.content for answer in answers))
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    return dict(zip(types, refs, strict=True)), components


def _operation(operation: Operation, refs: dict[type, dict[str, Any]]) -> dict[str, Any]:
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {str(status): _response(answer, refs) for status, answer in operation.answers.items()},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _response(answer: Answer, refs: dict[type, dict[str, Any]]) -> dict[str, Any]:
    forms = filter(None, (answer.media_type, answer.or_as))
    return {"description": answer.description, "content": {form: {"schema": refs[answer.content]} for form in forms}}
