"""A house with two tenants and a plant on its roof, a day long, for the commands of a central server."""

from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import insert

from history.entries import METER
from iskra_server.history.model.records import Exact, QuarterReading
from iskra_server.history.store.schema import label
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from samples import EXPORT, IMPORT

# midnight in Europe/Berlin
FIRST = 1_763_852_400 // 900
DAY, PLANT = "2025-11-23", "1 ISK 00 70000009"
# Wh in a quarter-hour; the plant: 240 from 8 to 16 o'clock, 400 from 10 to 14
MEYER_WH, OTT_WH = 200, 100
# noon: this reading of Ott's meter is missing
_MISSING = 48


def _generated_wh(quarter: int) -> int:
    return 400 if 40 <= quarter < 56 else 240 if 32 <= quarter < 64 else 0


def small_house(folder: Path) -> Path:
    """Building 7 with the flats of Meyer and of Ott & Söhne; returns the file."""
    path = folder / ".local/share/iskra-server/iskra.sqlite"
    store = Store(f"sqlite:///{path}")
    meters: list[tuple[str, Obis, list[int]]] = [
        ("1 ISK 00 70000001", IMPORT, [MEYER_WH] * 96),
        ("1 ISK 00 70000002", IMPORT, [OTT_WH] * 96),
        (PLANT, EXPORT, list(map(_generated_wh, range(96)))),
    ]
    for name, obis, energies in meters:
        rows = [
            QuarterReading(name, obis, FIRST + place, Exact(5000 + sum(energies[:place]), 0), "measured")
            for place in range(97)
            if (place, energies[0]) != (_MISSING, OTT_WH)
        ]
        store.write(rows, [replace(METER, meter_id=name)])
    labels = [(number, "building", "7") for number in (1, 2, 3)] + [
        (1, "tenant", "Meyer"),
        (2, "tenant", "Ott & Söhne"),
    ]
    with store.transaction() as connection:
        connection.execute(insert(label), [dict(zip(("meter", "kind", "value"), row, strict=True)) for row in labels])
    store.close()
    return path
