"""History in a database: SQLite or PostgreSQL, schema, migrations, queries.

Code that only catches StoreError imports this package alone, without the database library (10 MB of memory).
"""


class StoreError(Exception):
    """One sentence: which database, what is wrong, what to do next."""


class DatabaseAway(StoreError):
    """The database is not reachable, starts, stops or is out of room: it may come back by itself."""


class SchemaChanged(StoreError):
    """Another program has brought the tables up to date: this one may write again when it is updated, too."""
