"""The number of an emulated device: unique, and the same for ever."""

import json
import re
from pathlib import Path

import pytest

from iskra_server.outputs.emulation.device_identity import FILE, Identities
from samples import METER_ID

OTHER = "1 ISK 00 12345679"
UNKNOWN = "unknown at ttyUSB0"


def test_it_is_a_locally_administered_address(tmp_path: Path) -> None:
    assert re.fullmatch("02[0-9a-f]{10}", Identities(tmp_path / FILE, "own").mac(METER_ID))


@pytest.mark.parametrize("meter_id", [METER_ID, UNKNOWN])
def test_it_differs_from_server_to_server_and_from_meter_to_meter(tmp_path: Path, meter_id: str) -> None:
    """A test system beside the real one reads the same meter, and simulated meters have the same numbers everywhere."""
    first, second = (Identities(tmp_path / name, name) for name in ("a", "b"))
    assert len({first.mac(meter_id), second.mac(meter_id), first.mac(OTHER)}) == 3


def test_without_a_folder_a_meter_with_a_number_keeps_it_and_no_two_others_have_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    first, second = (Identities(tmp_path / "file" / FILE, "") for _ in range(2))
    assert first.mac(METER_ID) == second.mac(METER_ID)
    assert first.mac(UNKNOWN) != second.mac(UNKNOWN)
    assert first.mac(UNKNOWN) == first.mac(UNKNOWN)


def test_it_survives_a_restart_and_a_later_version(tmp_path: Path) -> None:
    made = Identities(tmp_path / FILE, "own").mac(UNKNOWN)
    # even if the server were another one
    assert Identities(tmp_path / FILE, "another").mac(UNKNOWN) == made


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


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert Identities(tmp_path / FILE, "own").mac(METER_ID) == Identities(tmp_path / "other", "own").mac(METER_ID)
    assert {path.name for path in tmp_path.iterdir()} == {FILE, "other"}
