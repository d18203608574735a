"""Real D0 readouts, kept beside the project, come out exactly as two independent parsers read them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import texts
from iskra_server.codecs.d0.decoder import D0Decoder
from iskra_server.codecs.text import codes
from iskra_server.meter.reading import Fault, Reading

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "d0"
TRUTHS = sorted(path for path in CAPTURES.glob("*.json") if "dialog" not in path.stem)
GOOD = [path for path in TRUTHS if "SYN_" not in path.stem or "7E1" in path.stem]
# unit in the readout -> the register's, and the power of ten to it
UNITS = {
    **{"kWh": ("Wh", 3), "MWh": ("Wh", 6), "kW": ("W", 3), "kVArh": ("varh", 3), "kVAh": ("VAh", 3)},
    **{"A": ("A", 0), "V": ("V", 0), "h": ("h", 0), "m3": ("m³", 0), "m3ph": ("m³/h", 0)},
}
NOTHING = {
    "SYN_NEG_bcc-wrong": ["checksum"],
    "SYN_NEG_digit-lost": ["checksum"],
    "SYN_NEG_parity-error": ["checksum"],
    # nothing shows yet that more will not come
    "SYN_NEG_cut-before-etx": [],
    "SYN_NEG_only-our-echo": [],
}

pytestmark = pytest.mark.skipif(not TRUTHS, reason=f"the captures are not in {CAPTURES}")


@pytest.mark.parametrize("chunk", [1, 7, 64, None])
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_capture_says_what_it_says(path: Path, chunk: int | None) -> None:
    truth = json.loads(path.read_text())
    results = decode(path, chunk)
    values = {code: as_list(contents) for code, contents in (truth.get("current") or truth["values"]).items()}
    now = {code: contents for code, contents in values.items() if is_now(code, truth["file"])}
    if not now:
        assert results == []
        return
    (found,) = results
    assert isinstance(found, Reading)
    check(found, now)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_noise_around_a_capture_changes_nothing(path: Path) -> None:
    noise, data = b"\xfa/XX \n!\x00/ISK5abc", path.with_suffix(".bin").read_bytes()
    for chunk in (3, None):
        assert texts.readings(texts.decode(D0Decoder(), noise + data + noise, chunk)) == texts.readings(decode(path))


@pytest.mark.parametrize(("name", "faults"), NOTHING.items())
def test_a_damaged_capture_is_no_reading(name: str, faults: list[str]) -> None:
    for chunk in (1, 7, None):
        results = decode(CAPTURES / f"{name}.json", chunk)
        assert (texts.readings(results), texts.faults(results)) == ([], faults)


@pytest.mark.parametrize("chunk", [1, 7, None])
def test_a_good_readout_behind_damage_is_not_lost(chunk: int | None) -> None:
    (good,) = texts.readings(decode(CAPTURES / "ISKRA_ME162-0033.json"))
    assert texts.readings(decode(CAPTURES / "SYN_damage-then-good.json", chunk)) == [good, good]
    (in_blocks,) = texts.readings(decode(CAPTURES / "SYN_partial-blocks_EOT.json", chunk))
    assert in_blocks.registers == good.registers


def decode(path: Path, chunk: int | None = None) -> list[Reading | Fault]:
    return texts.decode(D0Decoder(), path.with_suffix(".bin").read_bytes(), chunk)


def as_list(contents: Any) -> list[Any]:
    return contents if isinstance(contents, list) else [contents]


def is_now(text: str, file: str) -> bool:
    code = codes.parse(text)
    assert code is not None, text
    return code.period is None or (code.period == 0 and file.startswith("PAF"))


def check(found: Reading, values: dict[str, list[Any]]) -> None:
    registers = {register.obis[2:]: register for register in found.registers}
    assert len(registers) == len(found.registers) == len(values)
    for text, contents in values.items():
        code = codes.parse(text)
        assert code is not None
        register, first = registers[code.obis[2:]], contents[0]
        if isinstance(first, dict) and first["unit"] in UNITS:
            unit, power = UNITS[first["unit"]]
            assert (register.value, str(register.unit)) == (Decimal(first["value"]) * 10**power, unit), text
        elif register.value is not None:
            assert register.value == Decimal(str(first)) * (1000 if register.unit else 1), text
        elif str(first).strip(" -."):
            assert register.raw != b"", text
            assert len(contents) > 1 or isinstance(first, dict) or register.raw == first.encode(), text
