import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from iskra_server.history.store import postgresql_layout
from iskra_server.history.store.migrations import SCRIPTS
from iskra_server.history.store.schema import VERSION_TABLE, VERSIONS, metadata
from iskra_server.history.store.store import Store


def test_every_version_has_its_migration() -> None:
    steps = [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()]
    assert tuple(reversed(steps)) == VERSIONS


# the text of every index of SQLite is compared by the test below
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index:UserWarning")
def test_the_migrations_lead_to_the_tables_of_the_code(store: Store) -> None:
    with store._database.write.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        options["include_object"] = _compared
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata if is_sqlite else postgresql_layout.tables()) == []


def _compared(_: object, name: str, kind: str, *__: object) -> bool:
    """All but the partitions."""
    return kind != "table" or name in metadata.tables


def test_sqlite_keeps_the_tables_as_the_code_says(sqlite: Store) -> None:
    """What a comparison of columns does not see: constraints, their names, WITHOUT ROWID."""
    wanted = create_engine("sqlite://")
    metadata.create_all(wanted)
    query = text("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'iskra%' AND sql IS NOT NULL ORDER BY name")
    with wanted.connect() as connection, sqlite._database.read.connect() as found:
        assert _lines(found.execute(query).scalars()) == _lines(connection.execute(query).scalars())
    wanted.dispose()


def _lines(statements: object) -> list[set[str]]:
    assert hasattr(statements, "all")
    return [{line.strip(", \t") for line in statement.splitlines()} for statement in statements.all()]
