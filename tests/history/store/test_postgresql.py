"""The tables as PostgreSQL has them; that the migrations lead to them is held in test_schema.py."""

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateTable

from iskra_server.history.store.postgresql import tables
from iskra_server.history.store.schema import PARTITIONED, metadata


def made(name: str, *, partitioned: bool) -> str:
    return str(CreateTable(tables(partitioned=partitioned).tables[name]).compile(dialect=registry.load("postgresql")()))


def test_what_grows_for_ever_is_partitioned_unless_an_extension_does_that() -> None:
    for name, (column, _) in PARTITIONED.items():
        assert f"PARTITION BY RANGE ({column})" in made(name, partitioned=True)
        assert "PARTITION BY" not in made(name, partitioned=False)
        assert "FOREIGN KEY" not in made(name, partitioned=True)


def test_the_tables_themselves_stay_as_they_are() -> None:
    tables()
    for name in PARTITIONED:
        assert any(isinstance(each, ForeignKeyConstraint) for each in metadata.tables[name].constraints)
        assert not metadata.tables[name].indexes
