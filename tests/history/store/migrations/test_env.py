import sqlalchemy
from sqlalchemy import create_engine, inspect

from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.partitions import REST
from iskra_server.history.store.schema import PARTITIONED, VERSION_TABLE, metadata


def test_an_upgrade_lies_in_the_transaction_of_its_caller(address: str) -> None:
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # the driver begins no transaction for a CREATE
            connection.execute(sqlalchemy.text("BEGIN"))
        upgrade(connection)
        made = set(inspect(connection).get_table_names())
        assert made - {f"{table}_{REST}" for table in PARTITIONED} == {*metadata.tables, VERSION_TABLE}
        connection.rollback()
        assert inspect(connection).get_table_names() == []
    engine.dispose()
