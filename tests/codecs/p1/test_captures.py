"""Real P1 telegrams, kept beside the project, come out exactly as two independent parsers read them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import texts
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.codecs.text import codes
from iskra_server.meter.reading import Fault, Reading, Register

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "p1"
TRUTHS = sorted(
    path for path in CAPTURES.glob("*.json") if "values" in path.read_text() and "encrypted" not in path.stem
)
FACTORS = {"k": 3, "M": 6}

pytestmark = pytest.mark.skipif(not TRUTHS, reason=f"the captures are not in {CAPTURES}")


def truth(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    if "values" not in found:
        found["values"] = truth(CAPTURES / Path(found["values_as"].split()[0]).name)["values"]
        found["crc_ok"] = True
    return found


def gives_readings(path: Path, expected: dict[str, Any]) -> bool:
    """The checksum is right in one of its two variants, or there is none."""
    fits = expected["crc_ok"] is not False or expected["crc_in_telegram"] == expected.get("crc_x25")
    return fits and "NEG" not in path.stem


@pytest.mark.parametrize("chunk", [1, 7, 64, None])
@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.stem)
def test_a_capture_says_what_it_says(path: Path, chunk: int | None) -> None:
    expected = truth(path)
    results = decode(capture(path), chunk)
    found = texts.readings(results)
    if not gives_readings(path, expected):
        assert (found, texts.faults(results)) == ([], ["checksum"])
        return
    telegrams = 2 if expected.get("expect") == "two readings" else 1
    assert len([each for each in found if each.channel == 0]) == telegrams
    assert set(texts.faults(results)) <= {"noise"}
    check(found, expected["values"])


@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.stem)
def test_noise_around_a_capture_changes_nothing(path: Path) -> None:
    if not gives_readings(path, truth(path)):
        return
    noise = b"\xfa/XX \n!\x00/ISK5abc"
    for chunk in (3, None):
        found = texts.readings(decode(noise + capture(path) + noise, chunk))
        assert found == texts.readings(decode(capture(path)))


def test_twenty_telegrams_of_one_meter() -> None:
    data = (CAPTURES / "ISK5_M550T-1012_NL_stream20.txt").read_bytes()
    found = texts.readings(decode(data, 64))
    assert len(found) == data.count(b"/ISK5\\2M550T-1012")
    assert len({each.meter_time for each in found}) == len(found)


@pytest.mark.parametrize("name", ["Lux5_encrypted_with-aad.bin", "Lux5_encrypted_without-aad.bin"])
def test_an_encrypted_telegram_is_no_reading(name: str) -> None:
    assert texts.readings(decode((CAPTURES / name).read_bytes())) == []


def decode(data: bytes, chunk: int | None = None) -> list[Reading | Fault]:
    return texts.decode(P1Decoder(), data, chunk)


def capture(path: Path) -> bytes:
    return (CAPTURES / str(truth(path)["file"])).read_bytes()


def check(found: list[Reading], values: dict[str, list[Any]]) -> None:
    registers = {register.obis: register for reading in found for register in reading.registers}
    for text, contents in values.items():
        code = codes.parse(text)
        assert code is not None, text
        register = registers.get(code.obis)
        united = [each for each in contents if isinstance(each, dict)]
        if code.obis[2] in (98, 99) or len(united) > 1:
            assert register is not None and register.value is None, text
        elif united:
            assert register is not None and number(register) == exact(united[0]), text
        elif "m3" in contents:
            assert register is not None and number(register) == (Decimal(contents[-1]), "m³"), text
        elif register is None:
            assert code.obis[1] or contents[0].strip("(").startswith("ER"), text
        elif register.value is None:
            assert register.raw == (contents[0] if len(contents) == 1 else register.raw.decode()).encode(), text  # type: ignore[union-attr]
        else:
            assert register.value == Decimal(contents[0]), text


def number(register: Register) -> tuple[Decimal | None, str]:
    return register.value, str(register.unit)


def exact(content: dict[str, str]) -> tuple[Decimal, str]:
    unit, power = content["unit"], 0
    if unit[0] in FACTORS and len(unit) > 1 and unit != "m3":
        unit, power = unit[1:], FACTORS[unit[0]]
    symbol = {"m3": "m³", "VArh": "varh", "VAr": "var"}.get(unit, unit)
    return Decimal(content["value"]) * 10**power, symbol
