"""Real telegrams, kept beside the project, come out exactly as two independent decoders read them."""

import json
from pathlib import Path
from typing import Any

import pytest

import telegrams
from iskra_server.codecs.sml import encoder
from iskra_server.codecs.sml.decoder import parse_telegram
from iskra_server.meter.reading import MeterTime, Reading, Register

CAPTURES = Path(__file__).parents[4] / "shared" / "captures"
EXPECTED = sorted((*CAPTURES.glob("sml/*.json"), *CAPTURES.glob("sml-synthetic/*.json")))

pytestmark = pytest.mark.skipif(not EXPECTED, reason=f"the captures are not in {CAPTURES}")


@pytest.mark.parametrize("chunk", [1, 7, 64, None])
@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem)
def test_a_capture_says_what_it_says(path: Path, chunk: int | None) -> None:
    frames = json.loads(path.read_text())["frames"]
    expected = [listed for frame in frames if frame["valid"] for listed in frame["lists"]]
    found = telegrams.readings(path.with_suffix(".bin").read_bytes(), chunk)
    assert [_list(reading) for reading in found] == [_comparable(listed) for listed in expected]


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem)
def test_a_valid_telegram_encodes_to_the_same_bytes(path: Path) -> None:
    data = path.with_suffix(".bin").read_bytes()
    for frame in json.loads(path.read_text())["frames"]:
        if frame["valid"]:
            telegram = data[frame["start"] : frame["end"]]
            assert encoder.telegram(*parse_telegram(telegram)) == telegram


def _comparable(listed: dict[str, Any]) -> dict[str, Any]:
    """Without the list's name, and without int or uint: a register's value says its kind."""
    entries = [{key: value for key, value in entry.items() if key != "kind"} for entry in listed["entries"]]
    return {"server_id": listed["server_id"], "sensor_time": listed["sensor_time"], "entries": entries}


def _list(reading: Reading) -> dict[str, Any]:
    return {
        "server_id": reading.server_id.hex(),
        "sensor_time": _time(reading.meter_time),
        "entries": [_entry(register) for register in reading.registers],
    }


def _entry(register: Register) -> dict[str, Any]:
    entry = {
        "obis": str(register.obis),
        "raw": register.raw.hex() if isinstance(register.raw, bytes) else register.raw,
        "scaler": register.scaler,
        "unit": register.unit,
        "status": register.status,
        "val_time": _time(register.time),
        "value": None if register.value is None else format(register.value, "f"),
    }
    if register.text:
        entry["text"] = register.text
    return entry


def _time(time: MeterTime | None) -> dict[str, Any] | None:
    if time is None:
        return None
    if time.kind == "local":
        return {"choice": 3, "value": [time.seconds, time.utc_offset_min, time.season_offset_min]}
    return {"choice": 1 if time.kind == "sec_index" else 2, "value": time.seconds}
