"""History in a database: SQLite or PostgreSQL, schema, migrations, queries."""
