"""What Alembic runs for each upgrade, on the connection of `upgrade` and within its transaction."""

from alembic import context

from iskra_server.history.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite cannot alter much: Alembic copies the table
    render_as_batch=True,
)
context.run_migrations()
