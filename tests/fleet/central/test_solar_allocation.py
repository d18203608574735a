"""Solar power of a house, divided in the quarters that are known: tenants come and go, meters fail."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from history.entries import METER
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.solar_allocation import SharedQuarter, SolarHouse, by_month, read_house, share
from iskra_server.fleet.central.solar_csv import NOTE, read_key, write_months, write_quarters
from iskra_server.history.model.records import EpochStart, Exact, QuarterReading
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.history.store.schema import ALWAYS, label
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from samples import EXPORT, IMPORT

BERLIN = ZoneInfo("Europe/Berlin")
HOUSE = Group("building", "7")
FIRST = int(datetime(2026, 11, 30, 22, tzinfo=BERLIN).timestamp()) // 900
# until 2 o'clock in December
LAST = FIRST + 16
NOW = datetime(2027, 1, 1, tzinfo=UTC)
PLANT = "1 ISK 00 00000009"


def count(store: Store, name: str, energies: Iterable[int | None], obis: Obis = IMPORT) -> None:
    """A meter that counts so many tenths of a Wh in each quarter; None: the reading at its beginning is missing."""
    info, raw, rows = replace(METER, meter_id=name), 1000, []
    for place, energy in enumerate([*energies, 0]):
        if energy is not None:
            rows.append(QuarterReading(name, obis, FIRST + place, Exact(raw, -1), "measured"))
        raw += energy or 0
    store.write(rows, [info])


def assign(store: Store, name: str, tenant: str | None, begin: int = 0) -> None:
    """In the house; from a quarter on the tenant's."""
    with store.transaction() as connection:
        number = store.meter_row_ids(connection, [name])[name]
        rows = [{"meter": number, "kind": "building", "value": "7", "from_quarter": 0, "to_quarter": ALWAYS}]
        if tenant:
            end = {"Alt": FIRST + 8}.get(tenant, ALWAYS)
            rows.append({"meter": number, "kind": "tenant", "value": tenant, "from_quarter": begin, "to_quarter": end})
        if begin:
            del rows[0]
        connection.execute(insert(label), rows)


@pytest.fixture
def house(tmp_path: Path) -> Iterable[Store]:
    """Flat A is Alt's until midnight, then Neu's; B is Meyer's; C is nobody's. The plant makes 100 Wh a quarter."""
    store = Store(f"sqlite:///{tmp_path}/central.sqlite")
    count(store, PLANT, [1000] * 16, EXPORT)
    count(store, "A", [600] * 16)
    count(store, "B", [900] * 12 + [200] * 4)
    count(store, "C", [5000] * 16)
    for name, tenant in (("A", "Alt"), ("B", "Meyer"), ("C", None), (PLANT, None)):
        assign(store, name, tenant)
    assign(store, "A", "Neu", FIRST + 8)
    yield store
    store.close()


def read(store: Store) -> SolarHouse:
    plant = recorded_meter(store, [PLANT])
    assert plant
    period = tuple(datetime.fromtimestamp(quarter * 900, UTC) for quarter in (FIRST, LAST))
    return read_house(store, HOUSE, (plant, EXPORT), (period[0], period[1]), NOW)


def divided(store: Store, parts: Mapping[str, Decimal] | None = None) -> list[SharedQuarter]:
    quarters = list(share(read(store), parts))
    for quarter in quarters:
        if quarter.surplus is not None:
            assert quarter.generation == sum(quarter.shares.values()) + quarter.surplus
            assert all(quarter.shares[name] <= (used or 0) for name, used in quarter.consumption.items())
    return quarters


def test_a_meter_of_gas_takes_no_part_and_one_without_a_reading_lacks_it(house: Store) -> None:
    before = divided(house)
    count(house, "Gas", [5] * 16, Obis.parse("0-1:24.2.1*255"))
    assign(house, "Gas", "Meyer")
    assert divided(house) == before
    assert read(house).no_consumption == ["Gas"]
    house.write([], [replace(METER, meter_id="New")])
    assign(house, "New", "Kim")
    # it has no total, as it sends one tariff alone
    count(house, "Tariff", [5] * 16, Obis.parse("1-0:1.8.1*255"))
    assign(house, "Tariff", "Ott")
    assert {quarter.lacking for quarter in divided(house)} == {("Kim", "Ott")}
    assert read(house).no_consumption == ["Gas"]


def test_tenants_take_part_while_they_live_there(house: Store) -> None:
    quarters = divided(house)
    assert [quarter.quarter for quarter in quarters] == list(range(FIRST, LAST))
    # in thousandths of a Wh: 60 and 90 Wh of 100 Wh; from one o'clock on all is used only in part
    assert quarters[0].shares == {"Alt": 40_000, "Meyer": 60_000}
    assert quarters[8].shares == {"Meyer": 60_000, "Neu": 40_000}
    assert (quarters[12].shares, quarters[12].surplus) == ({"Meyer": 20_000, "Neu": 60_000}, 20_000)
    assert read(house).others == ["C"]


def test_a_static_key_holds_for_those_who_live_there(house: Store) -> None:
    parts = {"Alt": Decimal("0.5"), "Neu": Decimal("0.5"), "Meyer": Decimal("0.3")}
    quarters = divided(house, parts)
    assert (quarters[0].shares, quarters[0].surplus) == ({"Alt": 50_000, "Meyer": 30_000}, 20_000)
    assert (quarters[12].shares, quarters[12].surplus) == ({"Meyer": 20_000, "Neu": 50_000}, 30_000)
    with pytest.raises(ValueError, match="the key has no share for Neu"):
        divided(house, {"Alt": Decimal("0.5"), "Meyer": Decimal("0.3")})
    with pytest.raises(ValueError, match=r"add up to 1\.1"):
        divided(house, parts | {"Neu": Decimal("0.8")})


def test_months_add_up_and_the_house_comes_first(house: Store) -> None:
    november_house, *november, december_house, meyer, neu = by_month(divided(house), BERLIN)
    assert [row.participant for row in november] == ["Alt", "Meyer"]
    assert (december_house.month, meyer.participant, neu.participant) == ((2026, 12), "Meyer", "Neu")
    assert (november_house.divided, november_house.generation, november_house.surplus) == (8, 800_000, 0)
    assert (neu.consumption, neu.share) == (480_000, 4 * 40_000 + 4 * 60_000)
    assert december_house.generation == meyer.share + neu.share + december_house.surplus == 800_000


def test_a_quarter_is_divided_only_where_everybody_has_an_energy(house: Store) -> None:
    count(house, "D", [None, 100, 100, 100, None, None, *[100] * 10])
    assign(house, "D", "Dorn")
    quarters = divided(house)
    assert [quarter.lacking for quarter in quarters[:7]] == [("Dorn",), (), (), *[("Dorn",)] * 3, ()]
    assert (quarters[0].shares, quarters[0].surplus, quarters[0].consumption["Meyer"]) == ({}, None, 90_000)
    rows = {row.participant: row for row in by_month(quarters, BERLIN) if row.month == (2026, 11)}
    assert (rows["Meyer"].divided, rows["Meyer"].undivided, rows["Meyer"].lacking) == (4, 4, 0)
    assert (rows["Dorn"].undivided, rows["Dorn"].lacking, rows[""].lacking) == (4, 4, 0)
    assert rows[""].generation == 400_000


def test_without_the_plant_nothing_is_divided(house: Store) -> None:
    count(house, "1 ISK 00 00000008", [1000, None, *[1000] * 14], EXPORT)
    plant = recorded_meter(house, ["1ISK0000000008"])
    assert plant
    period = datetime.fromtimestamp(FIRST * 900, UTC), datetime.fromtimestamp(LAST * 900, UTC)
    quarters = list(share(read_house(house, HOUSE, (plant, EXPORT), period, NOW), None))
    assert [quarter.lacking for quarter in quarters[:3]] == [("",), ("",), ()]
    assert by_month(quarters, BERLIN)[0].lacking == 2


def test_a_quarter_in_which_a_meter_was_replaced_or_restarted_is_not_divided(house: Store) -> None:
    """Both of its readings are known, but not all that was used between them."""
    rows = [QuarterReading("B new", IMPORT, FIRST + place, Exact(90 * place, 0), "measured") for place in range(3, 17)]
    house.write(rows, [replace(METER, meter_id="B new", first_s=(FIRST + 3) * 900)])
    house.replace_meter("B", "B new")
    restart = EpochStart("A", IMPORT, 1, (FIRST + 6) * 900 + 30, Exact(4600, -1), Exact(0, -1))
    again = [
        QuarterReading("Z", IMPORT, FIRST + place, Exact(60 * (place - 6 * (place > 6)), 0), "measured", place > 6)
        for place in range(17)
    ]
    house.write([*again, replace(restart, meter_id="Z")], [replace(METER, meter_id="Z")])
    assign(house, "Z", "Zahn")
    quarters = divided(house)
    lacking = {place: quarter.lacking for place, quarter in enumerate(quarters) if quarter.lacking}
    assert lacking == {2: ("Meyer",), 6: ("Zahn",)}
    assert quarters[2].consumption["Meyer"] is quarters[6].consumption["Zahn"] is None


def test_the_files_are_exact_and_the_house_has_no_participant(house: Store) -> None:
    count(house, "D", [100] * 3 + [None] + [100] * 12)
    assign(house, "D", "Dorn")
    quarters, months = StringIO(), StringIO()
    measured = read(house)
    rows = by_month(write_quarters(share(measured, None), measured.scaler, quarters, BERLIN), BERLIN)
    write_months(rows, measured.scaler, months)
    lines = quarters.getvalue().splitlines()
    assert lines[0] == "begin,participant,generation_wh,consumption_wh,share_wh,residual_wh,surplus_wh,lacking,note"
    assert lines[1:3] == [
        "2026-11-30T22:00:00+01:00,,100.000,160.000,100.000,60.000,0.000,," + NOTE,
        "2026-11-30T22:00:00+01:00,Alt,,60.000,37.500,22.500,,,",
    ]
    assert "2026-11-30T22:30:00+01:00,,100.000,,,,,Dorn," in lines
    assert "2026-11-30T22:30:00+01:00,Dorn,,,,,,," in lines
    assert months.getvalue().splitlines()[:3] == [
        "month,participant,generation_wh,consumption_wh,share_wh,residual_wh,surplus_wh,quarters,not_divided,lacking,note",
        "2026-11,,600.000,960.000,600.000,360.000,0.000,6,2,0," + NOTE,
        "2026-11,Alt,,360.000,225.000,135.000,,6,2,0," + NOTE,
    ]


def test_a_key_file() -> None:
    text = "participant, share\nMeyer, 0.125\nNeu,12.5%\nAlt , 3 %\n"
    assert read_key(StringIO(text)) == {"Meyer": Decimal("0.125"), "Neu": Decimal("0.125"), "Alt": Decimal("0.03")}
    # as the files of an allocation name it
    assert read_key(StringIO("participant,share\n'=Meyer,1\n")) == {"=Meyer": Decimal(1)}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,share\n", "it needs a header with participant and share"),
        ("participant,share\nA,1/8\n", "the share '1/8' in line 2 is no part"),
        ("participant,share\nA,NaN\n", "the share 'NaN' in line 2 is no part"),
        ("participant,share\nA,12.5\n", "the share '12.5' in line 2 is no part"),
        ("participant,share\nA,0.1\nA,0.2\n", "line 3 names A again"),
        ("participant,share\nA\n", "the share '' in line 2 is no part"),
    ],
)
def test_a_wrong_key_file_says_where(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_key(StringIO(text))
