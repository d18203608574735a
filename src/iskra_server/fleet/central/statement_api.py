"""GET /api/v1/fleet/statement: the statement of a group as a file; a tenant's token gives access to the own months."""

from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

from starlette.responses import Response

from iskra_server.base.file_names import attachment, file_name
from iskra_server.fleet.central.answers import required_group
from iskra_server.web.http.endpoint import TEXT, Parameter
from iskra_server.web.http.query import BadRequest, Query
from iskra_server.web.http.responses import NO_STORE

if TYPE_CHECKING:
    # for its types alone: they bring the database library along
    from iskra_server.fleet.central.label_periods import Within
    from iskra_server.history.store.reads import Reads
    from iskra_server.outputs.notify.messages import Language

# a statement reads every quarter-hour of its time, of every meter
MAX_DAYS, MAX_METERS = 1_100, 200
_TYPES = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8"}
_LANGUAGES = ["en", "de"]
FORMAT = Parameter("format", "html, to print on A4, or csv", {**TEXT, "enum": list(_TYPES), "default": "html"})
LANGUAGE = Parameter("lang", "language of the file", {**TEXT, "enum": _LANGUAGES, "default": "en"})


def statement_of(reads: "Reads", query: Query, within: "Within") -> Response:
    """As an attachment: the page of a statement has its styles inside, which a page of this server may not."""
    from iskra_server.fleet.central.label_periods import group_meters  # noqa: PLC0415
    from iskra_server.fleet.central.statement import quarters_of, statement  # noqa: PLC0415
    from iskra_server.fleet.central.statement_csv import write_csv  # noqa: PLC0415
    from iskra_server.fleet.central.statement_html import html  # noqa: PLC0415

    group, period = required_group(query), query.period(MAX_DAYS, default="last_month")
    form = query.choice("format", _TYPES, default="html")
    words: Language = "de" if query.choice("lang", _LANGUAGES, default="en") == "de" else "en"
    count = len(group_meters(reads, group, *quarters_of(period, query.now), within))
    if count > MAX_METERS:
        raise BadRequest(f"this group has {count} meters in the period, and the maximum is {MAX_METERS}")
    content = statement(reads, [group], period, query.now, tz=query.tz, within=within)
    text = StringIO()
    if form == "csv":
        write_csv(content, text, words)
    else:
        text.write(html(content, words))
    days = (str(day.astimezone(query.tz).date()) for day in (period[0], period[1] - timedelta(seconds=1)))
    headers = attachment(file_name(group.kind, group.value, "_".join(days), suffix=form)) | NO_STORE
    return Response(text.getvalue(), headers=headers, media_type=_TYPES[form])
