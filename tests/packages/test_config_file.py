"""The configuration file of the Debian package: every key is in it, and is valid when its "#" is removed."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from msgspec import structs

from deb.config_file import WIDTH, config_file
from iskra_server.base.secret import Secret
from iskra_server.config import SECTIONS, Config, describe, describe_tables, load
from iskra_server.cost.from_config import contract_findings
from iskra_server.runtime.plan import plan_of

TEXT = config_file()
# a token that stands in every package would be none: it has to be filled in, and needs that of the server beside it
FILLED = {
    '#token = ""\n# Groups of meters': '#token = "0123456789abcdef"\n# Groups of meters',
    '#groups = ""': '#groups = "building:7"',
}
TOKEN = {"IES_SERVER_TOKEN": "fedcba9876543210"}


def uncommented(text: str) -> str:
    return re.sub("^#(?! |$)", "", text, flags=re.MULTILINE)


def filled(text: str) -> str:
    for empty, value in FILLED.items():
        text = text.replace(empty, value)
    return text


def loaded(text: str, folder: Path, environ: dict[str, str] | None = None) -> Config:
    file = folder / "iskra-server.toml"
    file.write_text(text)
    config = load(environ or {}, file)
    findings = contract_findings(config.contracts, config.offers, date(2026, 11, 27))
    assert [finding.sentence for finding in findings if finding.level == "error"] == []
    plan_of(config)
    return config


def parts() -> list[str]:
    """The entries and sections of the file, each with what stands above it."""
    return TEXT.split("\n\n")[1:]


def test_as_it_is_it_sets_nothing(tmp_path: Path) -> None:
    assert loaded(TEXT, tmp_path) == Config()


def test_without_any_comment_it_is_valid_and_the_default(tmp_path: Path) -> None:
    config = loaded(uncommented(filled(TEXT)), tmp_path, TOKEN)
    # what the service sets, and the examples of lists
    assert structs.replace(config.server, token=Secret()) == Config().server and config.meters == Config().meters
    assert config.outputs == Config().outputs and config.history.raw_days == Config().history.raw_days
    assert len(config.contracts) == 5


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.partition("[")[2].partition("\n")[0])
def test_each_section_is_valid_without_comments(part: str, tmp_path: Path) -> None:
    assert tomllib.loads(uncommented(part)) != {}
    loaded(uncommented(filled(part)), tmp_path, TOKEN)


def test_every_key_is_in_it() -> None:
    content = tomllib.loads(uncommented(TEXT))
    found = set(paths(content, ""))
    tables = {key.path for key in describe_tables() if key.path.startswith("contracts.")}
    assert {key.path for key in describe()} | tables <= found
    assert {section.partition(".")[0] for section in SECTIONS} == set(content)


def paths(value: object, path: str) -> set[str]:
    """Keys with their tables before them; entries of a list are one."""
    if isinstance(value, list):
        return set().union(*(paths(entry, path) for entry in value))
    if isinstance(value, dict):
        return set().union(*(paths(inner, f"{path}.{name}".lstrip(".")) for name, inner in value.items()))
    return {path}


def test_prose_fits_into_a_terminal_and_is_told_from_toml() -> None:
    lines = TEXT.splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    commands = [line for line in lines if line.startswith("#     ")]
    assert [line for line in lines if len(line) > WIDTH and line not in commands] == []
