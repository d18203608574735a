"""The tables as PostgreSQL has them: partitions, and indexes of its own. its dialect takes 2 MB of memory."""

from sqlalchemy import ForeignKeyConstraint, Index, MetaData, text

from iskra_server.history.store.schema import PARTITIONED, metadata


def tables(*, partitioned: bool = True) -> MetaData:
    """A copy of the tables; not `partitioned` where an extension does that."""
    copy = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        table.to_metadata(copy)
    for name, (column, _) in PARTITIONED.items():
        table = copy.tables[name]
        # checking a foreign key costs more than the row itself, and locks the series that everybody writes
        table.constraints -= {each for each in table.constraints if isinstance(each, ForeignKeyConstraint)}
        if partitioned:
            table.dialect_options["postgresql"]["partition_by"] = f"RANGE ({column})"
    # small where rows lie as they came: it finds the pages of a day among those of a month
    for name in ("boundary", "power"):
        Index(f"ix_{name}_quarter", copy.tables[name].c.quarter, postgresql_using="brin")
    # a sum over a group reads the same few hours of many meters: these lie together here, with what is summed
    quarter_reading = copy.tables["boundary"]
    Index(
        "ix_boundary_hour",
        quarter_reading.c.quarter,
        quarter_reading.c.series,
        postgresql_include=["raw", "scaler", "epoch"],
        postgresql_where=text("(quarter & 3) = 0"),
    )
    return copy
