"""Row ids: a part of the question, or looked up before it where there are many months; a snapshot alone remembers."""

from types import SimpleNamespace

from history.entries import METER, OTHER, quarter_reading
from iskra_server.history.store.row_ids import RowIds
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID


def test_ids_are_those_of_the_tables(store: Store) -> None:
    store.write([quarter_reading(meter=OTHER), quarter_reading(), quarter_reading(obis=EXPORT)], [OTHER, METER])
    for meter_id, obis, expected in ((METER_ID, EXPORT, 1), (OTHER.meter_id, EXPORT, 0), ("0815", IMPORT, 0)):
        assert len(store.quarter_readings_between(meter_id, obis, 0, 2**31 - 1)) == expected


def test_only_a_snapshot_remembers(store: Store) -> None:
    store.write([quarter_reading()], [METER])
    for remembers, questions in ((False, 2), (True, 1)):
        asked: list[object] = []

        def query(statement: object, asked: list[object] = asked) -> list[object]:
            asked.append(statement)
            return store.query(statement)  # type: ignore

        database = SimpleNamespace(is_asked_in_windows=True)
        ids = RowIds(query, database, remembers=remembers)  # type: ignore
        assert str(ids.of_series(METER_ID, IMPORT).compile(compile_kwargs={"literal_binds": True})) == "1"
        ids.windows_before(METER_ID, IMPORT, 5)
        assert len(asked) == questions
