"""Statements as files: their names, their texts, and those of all groups of a house in one archive.

The command, the routes and the page name a file alike: tenant-Meyer-2026.html.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from typing import Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from iskra_server.base.file_names import file_name
from iskra_server.base.language import Language
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.statement import Statement
from iskra_server.fleet.central.statement_csv import write_csv
from iskra_server.fleet.central.statement_html import html
from iskra_server.history.model.periods import Period

Form = Literal["html", "csv"]


def statement_text(statement: Statement, form: Form, language: Language) -> str:
    if form == "html":
        return html(statement, language)
    text = StringIO()
    write_csv(statement, text, language)
    return text.getvalue()


def period_name(period: Period, tz: ZoneInfo) -> str:
    """2026, 2026-11, 2026-11-22, 2026-01_2026-06; a day that is in it in part counts whole."""
    begin, end = (moment.astimezone(tz).date() for moment in (period[0], period[1] - timedelta(seconds=1)))
    edges = begin, end + timedelta(days=1)
    length = 10 if any(day.day > 1 for day in edges) else 7 if any(day.month > 1 for day in edges) else 4
    return "_".join(dict.fromkeys(str(day)[:length] for day in (begin, end)))


def file_names(groups: Iterable[Group], period: Period, tz: ZoneInfo) -> dict[Group, str]:
    """Of each group without its suffix. One that another group has, also for a Windows, gets a number."""
    names: dict[Group, str] = {}
    taken: set[str] = set()
    for group in groups:
        parts, number = (group.kind, group.value, period_name(period, tz)), 1
        while (name := file_name(*parts, *([str(number)] if number > 1 else ()))).casefold() in taken:
            number += 1
        taken.add(name.casefold())
        names[group] = name
    return names


def archive(statements: Iterable[tuple[str, Statement]], forms: Sequence[Form], language: Language) -> bytes:
    """A ZIP file of statements by their names, each in every form."""
    whole = BytesIO()
    with ZipFile(whole, "w") as files:
        for name, statement in statements:
            made = datetime.fromtimestamp(statement.made_s, statement.tz)
            for form in forms:
                # the time of the statement, and not that of the machine's own zone
                info = ZipInfo(f"{name}.{form}", made.timetuple()[:6])
                files.writestr(info, statement_text(statement, form, language), ZIP_DEFLATED)
    return whole.getvalue()
