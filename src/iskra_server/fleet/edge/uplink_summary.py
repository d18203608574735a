"""What of a history the central server does not have, and why: for the state of the output and for the command line."""

from collections.abc import Sequence
from itertools import starmap

from msgspec import Struct
from sqlalchemy import func, select

from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import meter, outbox, uplink


class Unconfirmed(Struct, frozen=True):
    """Quarters of one meter that are not at the central server for one reason; "" is none but that they must be sent.

    `retry_s` is when the next of them is sent again, None where that needs no waiting.
    """

    meter: str
    reason: str
    refused: bool
    quarters: int
    first_quarter: int
    last_quarter: int
    retry_s: int | None


class UplinkSummary(Struct, frozen=True):
    """`reader` is None while history has never had an uplink. `confirmed_s`: when anything was confirmed last."""

    reader: str | None = None
    confirmed_s: int | None = None
    unconfirmed: Sequence[Unconfirmed] = ()

    @property
    def waiting(self) -> int:
        """Quarters without those that are refused."""
        return sum(each.quarters for each in self.unconfirmed if not each.refused)

    @property
    def refused(self) -> int:
        return sum(each.quarters for each in self.unconfirmed if each.refused)

    @property
    def oldest_s(self) -> int | None:
        return min((each.first_quarter * QUARTER_S for each in self.unconfirmed), default=None)


def uplink_summary(store: Reads) -> UplinkSummary:
    """By meter, with what the central server says first. Raises StoreError."""
    groups = (
        select(
            meter.c.meter_id,
            func.coalesce(outbox.c.reason, ""),
            outbox.c.refused,
            func.count(),
            func.min(outbox.c.quarter),
            func.max(outbox.c.quarter),
            func.min(outbox.c.retry_s),
        )
        .join(meter, meter.c.id == outbox.c.meter)
        .group_by(meter.c.meter_id, outbox.c.reason, outbox.c.refused)
        .order_by(outbox.c.refused.desc(), outbox.c.reason.is_(None), meter.c.meter_id, outbox.c.reason)
    )
    unconfirmed = list(starmap(Unconfirmed, store.query(groups)))
    known = store.query(select(uplink.c.reader, uplink.c.confirmed_s))
    return UplinkSummary(known[0].reader, known[0].confirmed_s, unconfirmed) if known else UplinkSummary()
