"""The tables. A change here is a new file in migrations/versions and a new last entry of VERSIONS.

meter ─┬─ series (one per register) ─┬─ boundary   quarter readings, kept for ever
       ├─ power    per quarter       ├─ epoch      where a counter restarted
       │                             ├─ epoch_origin   at the central server: its epochs by those of a reader's history
       │                             └─ conflict   at the central server: values that differ from those it kept
       ├─ points   packed telegrams, kept for some days
       ├─ outbox   quarters that the central server has not confirmed yet; used while there is a row in uplink
       ├─ label    building, tenant, tariff: what meters are grouped by, from one quarter until before another
       ├─ live     at the central server: its current state
       ├─ meter_reader   the one reader whose values of it are stored, and those before
       ├─ rollup, rollup_part   at the central server: energy of whole days and months, computed from boundary
       ├─ rollup_due     whose roll-up is to be computed, again or for the first time
       └─ set_aside  rows whose time cannot be true, whole, out of every answer; clock_step: when the clock was set
reader   at the central server: the state of each; refused: messages that cannot be read
price_retrieval ─┬─ spot_price   of a zone, per quarter, in millionths of EUR/MWh, kept for ever
                 └─ other_price  published too, and not in force: it differs from the first, or was an hour's

The small rows that are kept for ever lie on disk in the order of their key (SQLite: WITHOUT ROWID): the latest of a
series share a page, which is all that a flush writes and all that a look-up reads. Points are appended instead:
blocks are large, and keeping them sorted would write each of them several times.

In PostgreSQL boundary, power and points are partitioned by month, without foreign keys (postgresql.py, partitions.py).
"""

from typing import Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

# every released schema, oldest first; the last is that of the tables below
VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
# the table that holds the version; Alembic's default name may belong to another program in the same PostgreSQL
VERSION_TABLE = "iskra_schema"

# the end of a label that has none, and a quarter that never comes
ALWAYS = 2**31 - 1
# days of a month, and months of a year
ROLLED_UP = range(1, 32)
# partitioned in PostgreSQL: table -> its column of time, and how many of its units make a day
PARTITIONED = {"boundary": ("quarter", 96), "power": ("quarter", 96), "points": ("first_s", 86_400)}

# how an empty PostgreSQL is laid out (postgresql_layout.py)
DatabaseProfile = Literal["plain", "timescale", "citus"]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

# 64 bits: each message that is refused takes one; SQLite counts only an INTEGER up by itself
_Number = BigInteger().with_variant(Integer, "sqlite")

meter = Table(
    "meter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("meter_id", Text, nullable=False, unique=True),
    Column("server_id", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("first_s", BigInteger, nullable=False),
    Column("last_s", BigInteger, nullable=False),
    Column("replaced_by", Integer, ForeignKey("meter.id")),
    # where it was read last
    Column("port", Text),
    # as it is asked for (Reads.replacement_chain), and what it replaced: a central server has a million meters
    Index("ix_meter_compact", text("lower(replace(meter_id, ' ', ''))")),
    Index("ix_meter_server_id", "server_id"),
    # the same in PostgreSQL (postgresql_layout.py): its options, written here, would import it into every server
    Index("ix_meter_replaced_by", "replaced_by", sqlite_where=text("replaced_by IS NOT NULL")),
)
series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("meter", Integer, ForeignKey("meter.id"), nullable=False),
    Column("obis", Text, nullable=False),
    UniqueConstraint("meter", "obis"),
)


quarter_reading = Table(
    "boundary",
    metadata,
    Column("series", Integer, primary_key=True),
    Column("quarter", Integer, primary_key=True),
    Column("raw", BigInteger, nullable=False),
    Column("scaler", SmallInteger, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    ForeignKeyConstraint(["series"], ["series.id"]),
    sqlite_with_rowid=False,
)
power = Table(
    "power",
    metadata,
    Column("meter", Integer, primary_key=True),
    Column("quarter", Integer, primary_key=True),
    Column("min_mw", BigInteger, nullable=False),
    Column("mean_mw", BigInteger, nullable=False),
    Column("max_mw", BigInteger, nullable=False),
    Column("telegrams", Integer, nullable=False),
    ForeignKeyConstraint(["meter"], ["meter.id"]),
    sqlite_with_rowid=False,
)
epoch = Table(
    "epoch",
    metadata,
    Column("series", Integer, ForeignKey("series.id"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("at_s", BigInteger, nullable=False),
    Column("before_raw", BigInteger),
    Column("before_scaler", SmallInteger),
    Column("after_raw", BigInteger, nullable=False),
    Column("after_scaler", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
points = Table(
    "points",
    metadata,
    Column("meter", Integer, primary_key=True),
    Column("first_s", BigInteger, primary_key=True),
    # of the bytes: where a clock was set back, two blocks may begin in the same second
    Column("crc32", BigInteger, primary_key=True),
    Column("last_s", BigInteger, nullable=False),
    Column("telegrams", Integer, nullable=False),
    # before the bytes, which may continue in another page
    Column("min_mw", BigInteger),
    Column("mean_mw", BigInteger),
    Column("max_mw", BigInteger),
    Column("octets", LargeBinary, nullable=False),
    ForeignKeyConstraint(["meter"], ["meter.id"]),
)
label = Table(
    "label",
    metadata,
    Column("meter", Integer, ForeignKey("meter.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    # the quarters in which it holds: from this one, until before that one
    Column("from_quarter", Integer, primary_key=True, server_default="0"),
    Column("to_quarter", Integer, nullable=False, server_default=str(ALWAYS)),
    Column("value", Text, nullable=False),
    Index("ix_label_value", "kind", "value", "meter"),
    sqlite_with_rowid=False,
)
outbox = Table(
    "outbox",
    metadata,
    Column("meter", Integer, ForeignKey("meter.id"), primary_key=True),
    Column("quarter", Integer, primary_key=True),
    # grows with each change; a confirmation is for the mark that was sent
    Column("mark", Integer, nullable=False),
    # why the central server did not keep it; what it refused is sent again only on request
    Column("reason", Text),
    Column("refused", Boolean, nullable=False, server_default=false()),
    # it is not sent before (Unix seconds)
    Column("retry_s", BigInteger),
    Index("ix_outbox_quarter", "quarter", "meter"),
    sqlite_with_rowid=False,
)
uplink = Table(
    "uplink",
    metadata,
    Column("reader", Text, primary_key=True),
    Column("since_s", BigInteger, nullable=False),
    # random, of this history: its epochs are its own
    Column("ledger", Text),
    # when the central server last confirmed something
    Column("confirmed_s", BigInteger),
    sqlite_with_rowid=False,
)
reader = Table(
    "reader",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at_s", BigInteger, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("sentence", Text, nullable=False),
    # of all its sources, as JSON
    Column("status", Text, nullable=False),
    Column("version", Text),
    # the running program that sends under this name, after a - if it has said goodbye, and when it was last heard
    Column("session", Text),
    Column("session_s", BigInteger),
    # when another program with this name was last told to wait
    Column("rival_s", BigInteger),
    # its clock less that of the central server
    Column("skew_s", BigInteger),
    # as it reports: quarters that it has sent without a confirmation, those that were refused, and the oldest of both
    Column("waiting", BigInteger),
    Column("refused", BigInteger),
    Column("oldest_s", BigInteger),
    sqlite_with_rowid=False,
)
# the last row of a meter is its reader; since_s is 0 in the first one, which has it from the beginning
meter_reader = Table(
    "meter_reader",
    metadata,
    Column("meter", Integer, ForeignKey("meter.id"), primary_key=True),
    Column("since_s", BigInteger, primary_key=True),
    Column("reader", Text, nullable=False),
    Index("ix_meter_reader_reader", "reader", "meter"),
    sqlite_with_rowid=False,
)
epoch_origin = Table(
    "epoch_origin",
    metadata,
    Column("series", Integer, ForeignKey("series.id"), primary_key=True),
    # HISTORY@READER; @READER where it sent no name of its history, empty what was there before this table
    Column("ledger", Text, primary_key=True),
    Column("ledger_epoch", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    # where it started, as the reader has sent it; None: not yet
    Column("at_s", BigInteger),
    Column("before_raw", BigInteger),
    Column("before_scaler", SmallInteger),
    Column("after_raw", BigInteger),
    Column("after_scaler", SmallInteger),
    # every row of the series from this quarter on is of this ledger epoch; ALWAYS: others may be among them
    Column("from_quarter", Integer, nullable=False),
    sqlite_with_rowid=False,
)
conflict = Table(
    "conflict",
    metadata,
    Column("series", Integer, ForeignKey("series.id"), primary_key=True),
    Column("quarter", Integer, primary_key=True),
    # who sent the other value
    Column("reader", Text, primary_key=True),
    Column("raw", BigInteger, primary_key=True),
    Column("scaler", SmallInteger, primary_key=True),
    Column("quality", SmallInteger, nullable=False),
    # None: nothing was kept of this quarter, as the counter would have gone back
    Column("kept_raw", BigInteger),
    Column("kept_scaler", SmallInteger),
    Column("kept_reader", Text),
    Column("at_s", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
live = Table(
    "live",
    metadata,
    Column("meter", Integer, ForeignKey("meter.id"), primary_key=True),
    Column("reader", Text, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    # of at_s: an index on it changes once a quarter-hour, not with each message
    Column("at_quarter", Integer, nullable=False, server_default="0"),
    Column("power_mw", BigInteger),
    Index("ix_live_at_quarter", "at_quarter", "meter"),
    sqlite_with_rowid=False,
)
# days of a month, or months of a year: only those in which every quarter-hour has an energy of its own
rollup = Table(
    "rollup",
    metadata,
    # of the month or year
    Column("begin_quarter", Integer, primary_key=True),
    Column("end_quarter", Integer, primary_key=True),
    Column("series", Integer, primary_key=True),
    # one row for each that the counter had
    Column("scaler", SmallInteger, primary_key=True),
    *(Column(f"energy_{place}", BigInteger) for place in ROLLED_UP),
    # quarter-hours with an interpolated reading at an end; None: none
    *(Column(f"estimated_{place}", SmallInteger) for place in ROLLED_UP),
    ForeignKeyConstraint(["series"], ["series.id"]),
    sqlite_with_rowid=False,
)
# a day or month in which something is missing
rollup_part = Table(
    "rollup_part",
    metadata,
    Column("begin_quarter", Integer, primary_key=True),
    Column("end_quarter", Integer, primary_key=True),
    Column("series", Integer, primary_key=True),
    # from the first reading inside to the last
    Column("raw", BigInteger, nullable=False),
    Column("scaler", SmallInteger, nullable=False),
    # quarter-hours with an energy of their own, and how many of them are estimated
    Column("quarters", SmallInteger, nullable=False),
    Column("estimated", SmallInteger, nullable=False),
    # whether there is a reading at the beginning, and at the end
    Column("begin_known", Boolean, nullable=False),
    Column("end_known", Boolean, nullable=False),
    ForeignKeyConstraint(["series"], ["series.id"]),
    sqlite_with_rowid=False,
)
rollup_due = Table(
    "rollup_due",
    metadata,
    # in the order in which they are computed
    Column("end_quarter", Integer, primary_key=True),
    Column("begin_quarter", Integer, primary_key=True),
    Column("meter", Integer, ForeignKey("meter.id"), primary_key=True),
    sqlite_with_rowid=False,
)
# one row, where there are roll-ups
rollup_state = Table(
    "rollup_state",
    metadata,
    # of the days and months
    Column("zone", Text, primary_key=True),
    # days and months before this quarter have no roll-up and no mark
    Column("since_quarter", Integer, nullable=False),
    # those that end later are not over: their marks stay
    Column("open_quarter", Integer, nullable=False),
    sqlite_with_rowid=False,
)
refused = Table(
    "refused",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("at_s", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("octets", LargeBinary, nullable=False),
)
clock_step = Table(
    "clock_step",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("from_s", BigInteger, nullable=False),
    Column("to_s", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)
set_aside = Table(
    "set_aside",
    metadata,
    Column("id", _Number, primary_key=True),
    # the table that the row was in
    Column("kind", Text, nullable=False),
    Column("meter", Integer, nullable=False),
    # the time that the row claims, and when it was set aside
    Column("moment_s", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    # the row as JSON
    Column("content", LargeBinary, nullable=False),
)
price_retrieval = Table(
    "price_retrieval",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)
spot_price = Table(
    "spot_price",
    metadata,
    Column("zone", Text, primary_key=True),
    Column("quarter", Integer, primary_key=True),
    Column("raw", BigInteger, nullable=False),
    # 15: a price of the quarter; 60: that of its hour
    Column("minutes", SmallInteger, nullable=False),
    Column("retrieval", Integer, ForeignKey("price_retrieval.id"), nullable=False),
    sqlite_with_rowid=False,
)
other_price = Table(
    "other_price",
    metadata,
    Column("zone", Text, primary_key=True),
    Column("quarter", Integer, primary_key=True),
    Column("raw", BigInteger, primary_key=True),
    Column("minutes", SmallInteger, primary_key=True),
    Column("retrieval", Integer, ForeignKey("price_retrieval.id"), nullable=False),
    sqlite_with_rowid=False,
)
