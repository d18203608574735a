"""`prepare`: create tables and monthly partitions of a central PostgreSQL, as their owner; drop old months."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from iskra_server.cli.ui.open_history import load_config
from iskra_server.cli.ui.options import ConfigFile, command_app, examples
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.history.model.records import quarter_of

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server prepare": "tables and partitions",
        "iskra-server prepare --forget-before 2023-01": "drop older months",
    }
)


@app.command(epilog=_EXAMPLES)
def prepare(
    ahead: Annotated[
        int, typer.Option("--ahead", min=1, max=24, metavar="N", help="Create partitions for the next N months.")
    ] = 24,
    forget_before: Annotated[
        str | None, typer.Option("--forget-before", metavar="MONTH", help="Drop all months before MONTH (YYYY-MM).")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Create the tables and monthly partitions in PostgreSQL; drop old months.

    Messages of readers that were refused more than 400 days ago are deleted, too.
    """
    from iskra_server.fleet.central.old_rows import (  # noqa: PLC0415
        KEEP_REFUSED_DAYS,
        delete_conflicts,
        delete_refused,
    )
    from iskra_server.fleet.central.rollup_check import forget_roll_ups  # noqa: PLC0415
    from iskra_server.history.store import StoreError, partitions  # noqa: PLC0415
    from iskra_server.history.store.store import Store  # noqa: PLC0415

    history = load_config(config).history
    if not history.database_url:
        raise UsageError("Only PostgreSQL has partitions to prepare. Set history.database_url (IES_DATABASE_URL).")
    limit, now_s = _month(forget_before) if forget_before else None, time.time()
    try:
        store = Store(history.database_url, history.database_profile)
        print(f"{store.make_partitions(ahead)} partitions are created.")
        if limit is not None:
            print(f"{store.drop_partitions_before(limit)} partitions are dropped.")
            forget_roll_ups(store, limit)
            if count := delete_conflicts(store, quarter_of(limit)):
                print(f"{count} values that differ, of these months, are deleted.")
        before_s = max(now_s - KEEP_REFUSED_DAYS * 86_400, limit or 0.0)
        if count := delete_refused(store, before_s):
            print(f"{count} refused messages of before {datetime.fromtimestamp(before_s, UTC):%Y-%m-%d} are deleted.")
        with store.transaction(write=False) as connection:
            left, rest = partitions.months_left(connection, now_s), partitions.rest_rows(connection)
        store.close()
    except StoreError as error:
        raise UsageError(str(error), 1) from None
    if left is not None:
        print(f"There are partitions for this month and the next {left}.")
    for table, count in rest.items():
        many = f"more than {count - 1}" if count == partitions.MAX_COUNTED else count
        print(f"{many} rows lie in {table}_{partitions.REST}: of old months, or of a wrong clock (history check).")


def _month(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise UsageError(f"'{text}' is not a month; write it like 2023-01.") from None
