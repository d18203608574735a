"""Power, totals and what is left out, of real telegrams kept beside the project: the rules of the other protocols."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iskra_server.codecs.decoder import DECODERS
from iskra_server.meter.lock import is_locked
from iskra_server.meter.medium import medium
from iskra_server.meter.normalise import MeterMemory, merge_parts, normalise
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import Reading
from iskra_server.meter.signed_power import EXPORTS, IMPORTS, POWER
from iskra_server.meter.totals import MAX_TARIFFS

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
PROTOCOLS = ("p1", "d0", "dlms")
FILES = sorted(path for protocol in PROTOCOLS for path in CAPTURES.glob(f"{protocol}/*") if path.suffix != ".json")
UNITS = {"kWh": 3, "kW": 3, "Wh": 0, "W": 0}

pytestmark = pytest.mark.skipif(not FILES, reason=f"the captures are not in {CAPTURES}")


def records(path: Path) -> Iterator[tuple[Reading, Reading]]:
    """Each reading of a file with its record."""
    memories: dict[str, MeterMemory] = {}
    for sent in merge_parts(DECODERS[path.parent.name]().feed(path.read_bytes())):
        if isinstance(sent, Reading):
            record, rejected = normalise(sent, memories.setdefault(sent.meter_id, MeterMemory()))
            assert not rejected
            yield sent, record


def number(reading: Reading, obis: Obis) -> Decimal | None:
    register = reading.get(obis)
    return register.value if register else None


def sent_number(reading: Reading, obis: Obis) -> Decimal | None:
    """As sent, also under channel 1."""
    found = number(reading, obis)
    return found if found is not None else number(reading, Obis(bytes((1, 1)) + obis[2:]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_record_follows_from_what_the_meter_sent(path: Path) -> None:
    for sent, record in records(path):
        imported, exported = sent_number(sent, IMPORTS[0]), sent_number(sent, EXPORTS[0])
        if imported is not None and exported is not None:
            assert number(record, POWER) == imported - exported
        if not any(register.obis[3] == 7 and register.obis[2] in (1, 2, 15, 16) for register in sent.registers):
            # ME162 and MT171 have no power, and none is made up
            assert record.get(POWER) is None
        for total in (IMPORT, EXPORT):
            tariffs = [number(sent, Obis(total[:4] + bytes((tariff, 255)))) for tariff in range(1, MAX_TARIFFS + 1)]
            parts = [value for value in tariffs if value is not None]
            expected = sent_number(sent, total)
            if expected is None and len(parts) > 1:
                expected = sum(parts, Decimal(0))
            assert number(record, total) == expected or (expected is None and len(parts) < 2)
        assert is_locked(record) is None
        assert (medium(record) == "electricity") is (record.channel == 0 and "Ultraheat" not in path.stem)


def test_the_gas_of_every_sub_meter_is_what_its_truth_says() -> None:
    checked = 0
    for path in (path for path in FILES if path.parent.name == "p1" and "NEG" not in path.stem):
        truth_file = path.with_suffix(".json")
        values: dict[str, Any] = json.loads(truth_file.read_text()).get("values", {}) if truth_file.exists() else {}
        for _, record in records(path):
            for register in record.registers if record.channel else ():
                for value in values.get(register.obis.short, ()):
                    if isinstance(value, dict) and value.get("unit") == "m3" and register.unit is not None:
                        assert register.value == Decimal(value["value"])
                        checked += 1
    assert checked > 5
