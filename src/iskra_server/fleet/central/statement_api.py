"""Statements as files over HTTP: /api/v1/fleet/statement of a group, and /api/v1/fleet/statements.zip of all tenants of
a house. With his token a tenant gets the statement of his own time alone.
"""

from typing import TYPE_CHECKING

from starlette.responses import Response

from iskra_server.base.file_names import attachment, file_name
from iskra_server.base.language import LANGUAGES
from iskra_server.fleet.central.answers import required_group
from iskra_server.web.http.endpoint import TEXT, Parameter
from iskra_server.web.http.query import BadRequest, Query
from iskra_server.web.http.responses import NO_STORE

if TYPE_CHECKING:
    # for its types alone: they bring the database library along
    from iskra_server.fleet.central.label_periods import Group, Within
    from iskra_server.fleet.central.statement_files import Form
    from iskra_server.history.model.periods import Period
    from iskra_server.history.store.reads import Reads

# a statement reads every quarter-hour of its time, of every meter
MAX_DAYS, MAX_METERS = 1_100, 200
ZIP = "application/zip"
_DEFAULT_EACH = "tenant"
_TYPES: "dict[Form, str]" = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8"}
FORMAT = Parameter("format", "html, to print on A4, or csv", {**TEXT, "enum": list(_TYPES), "default": "html"})
FORMATS = Parameter("format", "html, to print on A4, or csv; default: a file of each", {**TEXT, "enum": list(_TYPES)})
EACH = Parameter("each", "kind of the groups that get a statement each", {**TEXT, "default": _DEFAULT_EACH})
LANGUAGE = Parameter("lang", "language of the files", {**TEXT, "enum": list(LANGUAGES), "default": "en"})


def statement_of(reads: "Reads", query: Query, within: "Within") -> Response:
    """As an attachment: the page of a statement has its styles inside, which a page of this server may not."""
    from iskra_server.fleet.central.statement import statement  # noqa: PLC0415
    from iskra_server.fleet.central.statement_files import file_names, statement_text  # noqa: PLC0415

    form, language = query.choice("format", _TYPES, default="html"), query.choice("lang", LANGUAGES, default="en")
    group, period = _group_and_period(reads, query, within)
    text = statement_text(statement(reads, [group], period, query.now, tz=query.tz, within=within), form, language)
    name = f"{file_names([group], period, query.tz)[group]}.{form}"
    return Response(text, headers=attachment(name) | NO_STORE, media_type=_TYPES[form])


def statements_of(reads: "Reads", query: Query, within: "Within") -> Response:
    """The statements of all tenants of a house, or of all groups of another kind."""
    from iskra_server.fleet.central.statement import groups_among, statement  # noqa: PLC0415
    from iskra_server.fleet.central.statement_files import archive, file_names, period_name  # noqa: PLC0415

    kind, now, tz = query.get("each") or _DEFAULT_EACH, query.now, query.tz
    forms = [query.choice("format", _TYPES, default="html")] if query.get("format") else list(_TYPES)
    language = query.choice("lang", LANGUAGES, default="en")
    group, period = _group_and_period(reads, query, within)
    names = file_names(groups_among(reads, group, kind, period, now, within=within), period, tz)
    if not names:
        raise BadRequest(f"no meter of {group.kind}:{group.value} belongs to a {kind} in this period")
    statements = (
        (name, statement(reads, [group, of_kind], period, now, tz=tz, within=within)) for of_kind, name in names.items()
    )
    headers = attachment(file_name(group.kind, group.value, period_name(period, tz), suffix="zip")) | NO_STORE
    return Response(archive(statements, forms, language), headers=headers, media_type=ZIP)


def _group_and_period(reads: "Reads", query: Query, within: "Within") -> "tuple[Group, Period]":
    """Raises BadRequest where the group has too many meters."""
    from iskra_server.fleet.central.label_periods import group_meters  # noqa: PLC0415
    from iskra_server.fleet.central.statement import quarters_of  # noqa: PLC0415

    group, period = required_group(query), query.period(MAX_DAYS, default="last_month")
    count = len(group_meters(reads, group, *quarters_of(period, query.now), within))
    if count > MAX_METERS:
        raise BadRequest(f"this group has {count} meters in the period, and the maximum is {MAX_METERS}")
    return group, period
