from pathlib import Path

import pytest

from iskra_server.config import ConfigError, VirtualConfig, load


def loaded(folder: Path, text: str) -> tuple[VirtualConfig, ...]:
    file = folder / "iskra-server.toml"
    file.write_text(text)
    return load({}, file).virtual


@pytest.mark.parametrize("minus", ['"Z2, 70347617"', '["Z2", "70347617"]'])
def test_meters_are_text_with_commas_or_a_list(tmp_path: Path, minus: str) -> None:
    text = f'[[virtual]]\nname = "Heat pump"\nplus = ["Z1"]\nminus = {minus}\n'
    assert loaded(tmp_path, text) == (VirtualConfig("Heat pump", "Z1", "Z2, 70347617"),)


@pytest.mark.parametrize("plus", ["[1]", "7", '[["Z1"]]'])
def test_a_list_of_something_else_is_refused(tmp_path: Path, plus: str) -> None:
    with pytest.raises(ConfigError, match=r"virtual\.1\.plus in .* must be text"):
        loaded(tmp_path, f"[[virtual]]\nplus = {plus}\n")


def test_other_keys_take_no_list(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"virtual\.1\.name in .* must be text"):
        loaded(tmp_path, '[[virtual]]\nname = ["Heat pump"]\n')
