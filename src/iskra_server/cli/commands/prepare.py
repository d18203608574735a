"""`prepare`: lay out the database of a centre and its months ahead, as the owner of its tables; forget old months."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from iskra_server.cli.ui.history import configured
from iskra_server.cli.ui.options import ConfigFile, examples, single
from iskra_server.cli.ui.refusal import Refused

app = single()
_EXAMPLES = examples(
    {
        "iskra-server prepare": "tables, and months to come",
        "iskra-server prepare --forget-before 2023-01": "drops older months",
    }
)


@app.command(epilog=_EXAMPLES)
def prepare(
    ahead: Annotated[int, typer.Option("--ahead", min=1, max=24, help="Months to make ahead.")] = 24,
    forget_before: Annotated[
        str | None, typer.Option("--forget-before", metavar="MONTH", help="Drop all months before this one.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Lay out a PostgreSQL and its months ahead; forget old months."""
    from iskra_server.history.store import StoreError  # noqa: PLC0415
    from iskra_server.history.store.store import Store  # noqa: PLC0415

    history = configured(config).history
    if not history.database_url:
        raise Refused("Only a PostgreSQL has months to prepare. Set history.database_url (IES_DATABASE_URL).")
    limit = _month(forget_before) if forget_before else None
    try:
        store = Store(history.database_url, history.database_profile)
        print(f"{store.make_partitions(ahead)} partitions are made.")
        if limit is not None:
            print(f"{store.drop_partitions_before(limit)} partitions are dropped.")
        store.close()
    except StoreError as error:
        raise Refused(str(error), 1) from None


def _month(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refused(f"'{text}' is not a month; write it like 2023-01.") from None
