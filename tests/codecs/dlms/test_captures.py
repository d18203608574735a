"""Real telegrams, kept beside the project, come out exactly as two independent decoders read them."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import pushes
from iskra_server.codecs.dlms.notification import meter_time
from iskra_server.codecs.dlms.security import Keys
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, MeterTime, Reading, Register

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "dlms"
EXPECTED = sorted(CAPTURES.glob("*.json"))
CHUNKS = [1, 7, 64, None]

pytestmark = pytest.mark.skipif(not EXPECTED, reason=f"the captures are not in {CAPTURES}")

# what stands second in Slovenian lists is the name of the list
_LIST_NAMES = ("list name", "0-6:25.9.0", "0-8:25.9.0", "0-0:96.1.2", "0-0:96.1.3")
_ALIASES = {"0-0:0.9.1": "1-0:0.9.1", "0-0:0.9.2": "1-0:0.9.2"}
# file -> what it shows, where it has no list of values: readings, kinds of faults
SHOWS: dict[str, tuple[int, list[str]]] = {
    "MBUS_KSMWest_single-frame_CI10_nokey": (0, ["encrypted"]),
    "SAG_T210D_MBUS_L-overflow_nokey": (0, ["encrypted"]),
    "SYN_NEG_array-count-huge": (0, ["structure"]),
    "SYN_NEG_glo-length-wrong": (0, ["structure"]),
    "SYN_NEG_nesting": (0, ["structure"]),
    "SYN_NEG_octets-too-long": (0, ["structure"]),
    "SYN_NEG_segment-lost": (1, ["structure"]),
    "SYN_MBUS_L-overflow": (1, []),
    "SYN_MBUS_second-frame-first": (1, ["cut"]),
    "SYN_SC20_wrong-key": (0, ["wrong_key"]),
    "SYN_SC30_replay": (3, ["replayed"]),
    "SYN_SI_7E-in-FCS": (2, []),
    "SYN_shared-flags": (1, []),
    "SYN_unknown-positional-7": (0, ["layout"]),
    "EGD_CZ_raw-descriptors_apdu": (1, []),
}
IDENTITIES = {
    "AM550_AT_KELAG_plaintext_apdu": "1121378381199",
    "AM550_CH_EKZ_2020_plain": "1 ISK 00 75213859",
    "AM550_CH_Romande2022_tagged_RECONSTRUCTED": "78447008",
    "AM550_SI_homey_slovenia-list-1": "1 ISK 00 83826316",
    "AM550_SI_homey_slovenia-list-2": "1 ISK 00 83826316",
    "Aidon_gh1119-1": "7359000000000097",
    "EGD_CZ_raw-descriptors_apdu": "EGD012345",
    "Energomera_described7_apdu": "EMR0000000000010",
    "Kaifa_AT_Salzburg_apdu": "KFM1200000000004",
    "Kamstrup_CH_apdu_gh350-2": "34000009",
    "LGZ_E450_CH_GBT_gh740": "63300013",
    "SYN_AM550_AT_KELAG_enc20": "1 ISK 00 67108865",
    "SYN_AM550_AT_WIEN_enc20": "1 ISK 00 83886082",
    "SYN_AM550_CH_enc30_segmented": "1 ISK 00 83821282",
    "SYN_AT_TINETZ-like_SC21": "1 ISK 00 83886233",
    "SYN_NetzNOe_MBUS_two-frames": "4b464d6750000099",
    "SYN_unknown-positional-7": "1 ISK 00 00000001",
}


def stem_of(path: Path) -> str:
    return path.stem


def truth_of(path: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads(path.read_text())
    return truth


def keys_of(truth: dict[str, Any]) -> Keys:
    texts = (truth.get(name) or "" for name in ("encryption_key", "authentication_key"))
    return Keys(*map(bytes.fromhex, texts))


def decode(path: Path, chunk: int | None = None) -> list[Reading | Fault]:
    return pushes.results(path.with_suffix(".bin").read_bytes(), chunk, keys_of(truth_of(path)))


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("path", [path for path in EXPECTED if path.stem not in SHOWS], ids=stem_of)
def test_a_capture_says_what_it_says(path: Path, chunk: int | None) -> None:
    (reading,) = decode(path, chunk)
    assert isinstance(reading, Reading)
    truth = truth_of(path)
    plain = truth.get("plain", truth)
    if "values" in plain:
        expected = dict(_expected(plain["values"]))
        assert {str(each.obis): _shown(each, expected.get(str(each.obis))) for each in reading.registers} == expected
    if plain.get("push_datetime"):
        assert reading.meter_time == _time(plain["push_datetime"])
    assert reading.byte_count == path.with_suffix(".bin").stat().st_size
    assert reading.is_weak == ("apdu" in path.stem or "mbus" in path.stem.lower())


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("path", [path for path in EXPECTED if path.stem in SHOWS], ids=stem_of)
def test_a_capture_shows_what_it_shows(path: Path, chunk: int | None) -> None:
    found = decode(path, chunk)
    count, kinds = SHOWS[path.stem]
    assert len([each for each in found if isinstance(each, Reading)]) == count
    assert [each.kind for each in found if isinstance(each, Fault)] == kinds


@pytest.mark.parametrize("path", [path for path in EXPECTED if path.stem in IDENTITIES], ids=stem_of)
def test_a_capture_names_its_meter(path: Path) -> None:
    assert {each.meter_id for each in decode(path)} == {IDENTITIES[path.stem]}


@pytest.mark.parametrize("path", [path for path in EXPECTED if "apdu" not in path.stem], ids=stem_of)
def test_noise_around_a_capture_changes_nothing(path: Path) -> None:
    stream, keys = path.with_suffix(".bin").read_bytes(), keys_of(truth_of(path))
    noise = bytes.fromhex("00ff7e68a07e7ea81b1b0fdb68fafa00e6e7")
    assert pushes.readings(noise + stream + noise, 5, keys) == pushes.readings(stream, None, keys)


@pytest.mark.parametrize("path", [path for path in EXPECTED if "SYN" not in path.stem], ids=stem_of)
def test_a_flipped_bit_never_gives_a_reading_with_another_value(path: Path) -> None:
    stream, keys = path.with_suffix(".bin").read_bytes(), keys_of(truth_of(path))
    right = pushes.readings(stream, None, keys)
    if not right or right[0].is_weak:
        pytest.skip("nothing protects this one")
    for bit in range(0, 8 * len(stream), 5):
        damaged = bytearray(stream)
        damaged[bit // 8] ^= 1 << bit % 8
        assert pushes.readings(bytes(damaged), None, keys) == []


@pytest.mark.parametrize(
    ("name", "obis", "value", "unit"),
    [
        ("Kamstrup_em001-1", "1-1:1.8.0", "85823280", "Wh"),
        ("Kamstrup_em001-1", "1-1:31.7.0", "1.89", "A"),
        ("Kamstrup_em001-1", "1-1:32.7.0", "236", "V"),
        ("Kamstrup_CH_apdu_gh350-2", "1-1:1.8.0", "171735", "Wh"),
        ("LGZ_E450_CH_GBT_gh740", "1-0:51.7.0", "1.05", "A"),
        ("LGZ_E450_CH_GBT_gh740", "1-1:8.8.0", "706216", "varh"),
        ("EVN_NetzNOe_example_mbus_Kaifa", "1-0:32.7.0", "233.7", "V"),
        ("EVN_NetzNOe_example_mbus_Kaifa", "1-0:1.8.0", "12937", "Wh"),
    ],
)
def test_numbers_without_a_scaler_get_that_of_the_meter(name: str, obis: str, value: str, unit: str) -> None:
    (reading,) = decode(CAPTURES / f"{name}.json")
    assert isinstance(reading, Reading)
    register = reading.get(Obis.parse(obis))
    assert register is not None and (register.value, str(register.unit)) == (Decimal(value), unit)


def test_an_unknown_list_is_shown_with_types_and_values() -> None:
    (fault,) = decode(CAPTURES / "SYN_unknown-positional-7.json")
    assert isinstance(fault, Fault)
    assert fault.detail == "unknown list of 7 elements"
    assert fault.elements[1:] == tuple(f"u4 {value}" for value in range(1, 7))


def _expected(values: dict[str, Any]) -> dict[str, Any]:
    """Code with F -> what it says; without names of lists and what is no single value."""
    plain = {name.partition("/")[0]: value for name, value in values.items()}
    return {
        str(Obis.parse(_ALIASES.get(name, name))): _value(value)
        for name, value in plain.items()
        if name not in _LIST_NAMES and not isinstance(value, list)
    }


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "enum" in value:
        return value["enum"]
    if "local" in value:
        return _time(value)
    if "octets" in value:
        return value["octets"]
    return value["raw"], Decimal(str(value["value"])), value["unit"]


def _shown(register: Register, expected: Any) -> Any:
    """A register in the form in which the truth has it."""
    if isinstance(expected, MeterTime):
        return _clock(register)
    if isinstance(register.raw, bytes):
        return register.raw.hex()
    if isinstance(expected, tuple):
        unit = "" if register.unit in (None, 255) else str(register.unit)
        return register.raw, register.value, unit
    return register.raw


def _clock(register: Register) -> MeterTime | None:
    assert isinstance(register.raw, bytes)
    return meter_time(register.raw)


def _time(truth: dict[str, Any]) -> MeterTime:
    local = datetime.fromisoformat(truth["local"]).replace(tzinfo=UTC)
    season = 60 if truth["status"] != 0xFF and truth["dst"] else 0
    deviation = truth["deviation_min"]
    if deviation is None:
        return MeterTime("wall", int(local.timestamp()), season_offset_min=season)
    return MeterTime("timestamp", int(local.timestamp()) + 60 * deviation, -deviation - season, season)


@pytest.mark.parametrize("name", ["Lux5_encrypted_with-aad", "Lux5_encrypted_without-aad"])
def test_an_encrypted_p1_telegram_is_opened(name: str) -> None:
    """Its text has lost the blank line of the clear one, and with it its checksum: the tag proves it."""
    folder = CAPTURES.parent / "p1"
    truth = truth_of(folder / f"{name}.json")
    keys = Keys(*map(bytes.fromhex, (truth["key"], truth["aad"] if name.endswith("with-aad") else "")))
    values = truth_of(folder / Path(truth["plaintext_file"]).with_suffix(".json"))["values"]
    for chunk in CHUNKS:
        meter, *sub_meters = pushes.readings((folder / f"{name}.bin").read_bytes(), chunk, keys)
        register = meter.get(Obis.parse("1-0:1.8.0"))
        assert register is not None
        assert register.value == Decimal(values["1-0:1.8.0"][0]["value"]) * 1000
        assert {each.protection for each in (meter, *sub_meters)} == {"tag"}
    assert pushes.readings((folder / f"{name}.bin").read_bytes(), None, pushes.KEYS) == []
