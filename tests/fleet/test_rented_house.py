"""Statements and sums of a whole house are the simulator's truth to the last Wh, and name what went wrong.

A meter that got another reader, a replaced meter, a tenant who moved, a day without a reader, two wrong clocks, and a
meter that two readers read.
"""

import threading
import time
from collections.abc import Collection
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from fleet.conftest import Collect
from fleet.field import FieldReader
from fleet.rented_house import (
    AHEAD_S,
    BEHIND_S,
    BERLIN,
    CHANGED,
    CONTESTED,
    CONTESTED_QUARTERS,
    FLATS,
    MOVED,
    NEW_METER,
    REPLACED,
    FieldStation,
    RentedHouse,
    household_counter,
    meter_of,
    random_counter,
    tenant_of,
)
from fleet.sums import group_energy
from iskra_server.cli.ui.report_files import parse_report_period
from iskra_server.fleet.central.bucket_sum import Completeness
from iskra_server.fleet.central.claims import move_meter
from iskra_server.fleet.central.ingest import ReceivedMessage, ingest
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.statement import MeterStatement, Statement, groups_among, statement
from iskra_server.fleet.central.statement_texts import sentence
from iskra_server.fleet.central.tables import write_batch
from iskra_server.fleet.edge import uplink
from iskra_server.fleet.edge.reader_messages import reader_status
from iskra_server.fleet.protocol import Correlation, ReaderStatus, encode
from iskra_server.history.store.schema import ALWAYS, label
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto
from running import until
from samples import IMPORT

HOUSE = Group("building", "7")
NEW_TENANT = "New tenant"
PER_BATCH = 100
# a status may be so late where the machine is busy
LATE_S = 30
# what waited is sent again after a minute or two
PATIENCE_S = 300


def arrive(central: Store, station: FieldStation, house: RentedHouse) -> set[str]:
    """All that a reader sends, as a collector writes it; returns the answers other than `kept`."""
    # one run of the program: a second one of this name would have to wait
    session, now_s = station.name.encode().ljust(8, b"-"), int(time.time())
    payloads = [encode(quarters) for quarters in station.messages(house.message_days)]
    sent = [("status", encode(ReaderStatus(1, now_s + station.clock_s, "1", [])))]
    sent += [("quarters", payload) for payload in payloads]
    messages = [
        ReceivedMessage(
            f"iskra/v1/{station.name}/{kind}",
            payload,
            now_s,
            answer_to=f"iskra/v1/{station.name}/kept",
            correlation_data=bytes(Correlation(session, number)),
        )
        for number, (kind, payload) in enumerate(sent)
    ]
    states: set[str] = set()
    for begin in range(0, len(messages), PER_BATCH):
        outcome = write_batch(central, ingest(messages[begin : begin + PER_BATCH]))
        states |= {receipt.state for receipt in outcome.receipts.values()}
    return states


def assign(central: Store, house: RentedHouse) -> None:
    """Everybody to his flat; the replaced meter's label goes on under the new one."""
    with central.transaction() as connection:
        numbers = central.meter_row_ids(connection, [meter_of(flat) for flat in FLATS])
        rows = [(flat, "building", "7", 0, ALWAYS) for flat in FLATS]
        rows += [(flat, "tenant", tenant_of(flat), 0, ALWAYS) for flat in FLATS if flat != CHANGED]
        rows.append((CHANGED, "tenant", tenant_of(CHANGED), 0, house.changed))
        rows.append((CHANGED, "tenant", NEW_TENANT, house.changed, ALWAYS))
        names = "meter", "kind", "value", "from_quarter", "to_quarter"
        values = [dict(zip(names, (numbers[meter_of(flat)], *rest), strict=True)) for flat, *rest in rows]
        connection.execute(insert(label), values)


def made(central: Store, house: RentedHouse, *groups: Group) -> Statement:
    now = datetime.now(UTC)
    with central.snapshot() as reads:
        return statement(reads, groups, parse_report_period(house.period, now, BERLIN), now, tz=BERLIN)


def energy_of(meter: MeterStatement) -> Decimal | None:
    (part,) = meter.registers
    assert part.total.is_complete
    assert sum(month.energy_wh or 0 for month in part.months) + part.between == part.total.energy_wh
    return part.total.energy_wh


def remarks_of(meter: MeterStatement) -> list[str]:
    remarks = [*meter.remarks, *(remark for part in meter.registers for remark in part.remarks)]
    # the attic's contested quarter-hours wait for ever, and its real reader says so
    return sorted({remark.kind for remark in remarks} - {"waiting"})


def check_truth(central: Store, house: RentedHouse, flats: Collection[int] = FLATS) -> None:
    """The statement of the house and those of the tenants of some flats, and the sums of these groups."""
    of_house = made(central, house, HOUSE)
    assert of_house.remarks == ()
    by_flat = dict(zip(FLATS, sorted(of_house.meters, key=meter_of_statement), strict=True))
    truth = {flat: Decimal(house.true_tenths(flat)).scaleb(-1) for flat in FLATS}
    assert {flat: energy_of(meter) for flat, meter in by_flat.items()} == truth
    (total,) = of_house.totals
    assert (total.energy_wh, total.spans, total.complete) == (sum(truth.values()), 24, 24)
    check_group_sum(central, house, HOUSE, of_house)
    now = datetime.now(UTC)
    tenants = groups_among(central, HOUSE, "tenant", parse_report_period(house.period, now, BERLIN), now)
    assert [tenant.value for tenant in tenants] == [NEW_TENANT, *map(tenant_of, FLATS)]
    parts = {CHANGED: (house.begin, house.changed), 0: (house.changed, house.end)}
    # the first is the one who moved in
    for flat, tenant in enumerate(tenants):
        if flat not in {0, *flats}:
            continue
        of_tenant = made(central, house, HOUSE, tenant)
        (meter,) = of_tenant.meters
        check_group_sum(central, house, tenant, of_tenant)
        assert energy_of(meter) == Decimal(house.true_tenths(flat or CHANGED, *parts.get(flat, ()))).scaleb(-1)


def check_group_sum(central: Store, house: RentedHouse, group: Group, of_group: Statement) -> None:
    """The sum that the page shows, and how complete it is, are those of the statement."""
    sums = group_energy(central, group, IMPORT, [house.begin, house.end], until=house.end)
    totals = [part.total for meter in of_group.meters for part in meter.registers]
    (bucket,) = sums.buckets
    assert bucket.energy == of_group.totals[0].energy_wh
    assert bucket.completeness == Completeness(
        meters=len(totals),
        complete=len(totals),
        quarters=sum(total.quarters for total in totals),
        measured=sum(total.measured for total in totals),
        estimated=sum(total.estimated for total in totals),
    )


def meter_of_statement(meter: MeterStatement) -> str:
    """The new meter stands where the old one was."""
    return meter_of(REPLACED) if meter.meter_id == NEW_METER else meter.meter_id


def check_remarks(central: Store, house: RentedHouse) -> None:
    """What went wrong stands in the statements of those whom it concerns, and in no others."""
    by_flat = {meter_of_statement(meter): meter for meter in made(central, house, HOUSE).meters}
    off = ["estimated", "gap"]
    expected = {flat: list[str]() for flat in FLATS}
    expected |= {flat: off for flat in range(13, 21)} | {flat: ["clock"] for flat in (21, 22, 23, 24)}
    expected |= {MOVED: off, REPLACED: ["gap", "replaced"], CONTESTED: ["conflict", *off]}
    assert {flat: remarks_of(by_flat[meter_of(flat)]) for flat in FLATS} == expected
    texts = {
        flat: [sentence(remark, BERLIN, "en") for part in meter.registers for remark in part.remarks]
        + [sentence(remark, BERLIN, "en") for remark in meter.remarks]
        for flat in FLATS
        for meter in [by_flat[meter_of(flat)]]
    }
    assert any(f"meter {meter_of(REPLACED)} was replaced by {NEW_METER}" in text for text in texts[REPLACED])
    assert any("in 97 quarter-hours" in text for text in texts[13])
    assert next(text for text in texts[MOVED] if "only the sum" in text).count("in 3 quarter-hours") == 1
    for flat, name, ahead_s in ((21, "attic", AHEAD_S), (24, "shed", BEHIND_S)):
        clock = next(remark for remark in by_flat[meter_of(flat)].remarks if remark.kind == "clock")
        assert clock.names == (name,)
        # less the time in which the status arrived
        assert 0 <= ahead_s - clock.count <= LATE_S
    assert "the reader attic sent" in next(text for text in texts[CONTESTED] if "attic" in text)


def run_admin(central: Store, house: RentedHouse) -> None:
    """What the landlord does: the moved head, the replaced meter, and who lives where."""
    assert move_meter(central, meter_of(MOVED), "stairs", int(time.time())) == "cellar"
    central.replace_meter(meter_of(REPLACED), NEW_METER)
    assign(central, house)


def test_ten_days_of_a_house_to_the_last_watt_hour(central: Store) -> None:
    house = RentedHouse(date(2026, 10, 20), 10, random_counter)
    cellar, stairs, attic, shed = house.stations
    assert arrive(central, cellar, house) == set()
    # a meter belongs to its first reader until the landlord says otherwise
    assert arrive(central, stairs, house) == {"waits"}
    assert arrive(central, attic, house) == {"waits"}
    assert arrive(central, shed, house) == set()
    run_admin(central, house)
    # what waited is sent again
    assert arrive(central, stairs, house) == set()
    check_truth(central, house, flats=(MOVED, REPLACED, CHANGED, 21, 24))
    check_remarks(central, house)


class RealReader(FieldReader):
    """A reader of the house: its history is written by the simulator, its uplink is the real one."""

    def __init__(self, folder: Path, station: FieldStation, house: RentedHouse, url: str) -> None:
        super().__init__(folder, station.name, url, meters=0)
        self._clock_s = station.clock_s
        for reading in station.reads:
            rows = station.records(reading, house.begin, house.end + 1)
            self.store.write(rows, [station.info(reading)])

    async def _run(self) -> None:
        # so that `reader_status` knows whose clock it has
        threading.current_thread().name = f"clock {self._clock_s}"
        await super()._run()


def set_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status of a reader has the time of its clock, which is wrong."""

    def of_thread(*arguments: Any) -> ReaderStatus:
        status = reader_status(*arguments)
        clock_s = int(threading.current_thread().name.removeprefix("clock "))
        return replace(status, at_s=status.at_s + clock_s)

    monkeypatch.setattr(uplink, "reader_status", of_thread)


@pytest.mark.slow
def test_a_month_of_a_house_by_readers_broker_collectors_and_postgresql(
    central: Store, collect: Collect, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clocks(monkeypatch)
    house = RentedHouse(date(2026, 10, 1), 31, household_counter)
    collect()
    with ExitStack() as stack:
        readers = []
        for station in house.stations:
            readers.append(RealReader(tmp_path, station, house, broker.url))
            stack.callback(readers[-1].close)
        cellar, stairs, attic, shed = readers
        cellar.start()
        until(lambda: cellar.waiting == 0, PATIENCE_S)
        stairs.start()
        # a collector dies while quarters arrive, another one goes on
        collect().kill()
        moved = len([*house.stations[1].records(house.stations[1].reads[-1], house.begin, house.end + 1)])
        until(lambda: stairs.waiting == moved, PATIENCE_S)
        attic.start()
        shed.start()
        until(lambda: shed.waiting == 0, PATIENCE_S)
        until(lambda: attic.waiting == CONTESTED_QUARTERS, PATIENCE_S)
        run_admin(central, house)
        until(lambda: stairs.waiting == 0, PATIENCE_S)
        check_truth(central, house)
        check_remarks(central, house)
