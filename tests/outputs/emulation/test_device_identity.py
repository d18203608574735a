"""The number of an emulated device: unique, and the same for ever."""

import json
import re
from pathlib import Path

import pytest

from iskra_server.outputs.emulation.device_identity import FILE, Identities
from samples import METER_ID

OTHER = "1 ISK 00 12345679"


def test_it_is_a_locally_administered_address() -> None:
    assert re.fullmatch("02[0-9a-f]{10}", Identities(Path("/nowhere") / FILE, "own").mac(METER_ID))


def test_it_is_made_from_the_number_of_the_meter(tmp_path: Path) -> None:
    first, second = (Identities(tmp_path / name, name) for name in ("a", "b"))
    assert first.mac(METER_ID) == second.mac(METER_ID)
    assert first.mac(METER_ID) != first.mac(OTHER)


def test_meters_without_a_number_differ_from_server_to_server(tmp_path: Path) -> None:
    first, second = (Identities(tmp_path / name, name) for name in ("a", "b"))
    assert first.mac("unknown at ttyUSB0") != second.mac("unknown at ttyUSB0")


def test_it_survives_a_restart_and_a_later_version(tmp_path: Path) -> None:
    made = Identities(tmp_path / FILE, "own").mac("unknown at ttyUSB0")
    # even if the server were another one
    assert Identities(tmp_path / FILE, "another").mac("unknown at ttyUSB0") == made


def test_two_devices_share_the_file(tmp_path: Path) -> None:
    first, second = Identities(tmp_path / FILE, "own"), Identities(tmp_path / FILE, "own")
    first.mac(OTHER)
    second.mac(METER_ID)
    first.mac("third")
    assert set(json.loads((tmp_path / FILE).read_text())) == {OTHER, METER_ID, "third"}


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 100_000, '{"1 ISK 00 12345678": "nonsense"}', '{"1 ISK 00 12345678": 5}']
)
def test_a_damaged_file_is_made_again(tmp_path: Path, content: str) -> None:
    path = tmp_path / FILE
    path.write_text(content)
    made = Identities(path, "own").mac(METER_ID)
    assert json.loads(path.read_text()) == {METER_ID: made}
