"""Documentation that fails when it is out of date: what the code has is in the docs, what the docs name exists."""

import json
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from command_lines import problem_of
from iskra_server import config
from iskra_server.cli import COMMANDS, NAME
from iskra_server.cost.from_config import contract_findings
from iskra_server.homeassistant.rest_yaml import total_yaml
from iskra_server.meter.reading import Reading
from iskra_server.meter.registers import REGISTERS
from iskra_server.simulator.demo_history import first_moment
from iskra_server.simulator.profiles import decoder, profile
from iskra_server.simulator.simulated_source import telegrams
from iskra_server.sources.urls import FORMS
from iskra_server.web.app import all_endpoints
from running import serving, until

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = (*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("de/*.md")))
# with those that the documentation site has besides
SITE_PAGES = (*PAGES, ROOT / "integrations" / "homeassistant" / "README.md", *sorted(DOCS.glob("decisions/*.md")))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
README_LINES = 180

# whom a page may send its reader to, beside the machines in his own house; USER and admin stand before a password
HOSTS = {
    *(
        "developercertificate.org",
        "docs.docker.com",
        "gotify.local",
        "homeassistant.local",
        "keepachangelog.com",
        "ntfy.sh",
        "semver.org",
    ),
    # who publishes spot prices
    *("api.energy-charts.info", "www.smard.de", "www.awattar.de", "api.awattar.{country}"),
}
OWN = re.compile(r"USER|admin|localhost|raspberrypi(\.local)?|pi|127\.0\.0\.1|192\.168\.\d+\.\d+|HOST|host")
# a fenced block, also one inside a list
BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
LANGUAGES = ("console", "ini", "javascript", "json", "python", "sh", "text", "toml", "yaml")


def text(page: str) -> str:
    return (DOCS / page).read_text()


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def test_the_generated_parts_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_page_has_a_mark_of_a_merge_conflict() -> None:
    marked = [page.name for page in PAGES if re.search("^(<{7}|>{7}) ", page.read_text(), re.MULTILINE)]
    assert marked == []


@pytest.mark.parametrize("key", config.describe(), ids=lambda key: key.path)
def test_every_configuration_key_and_variable_is_described(key: config.Key) -> None:
    page = text("configuration.md")
    assert f"`{key.path}`" in page
    assert [variable for variable in key.variables if f"`{variable}`" not in page] == []


def test_every_key_of_a_table_is_described() -> None:
    page = text("configuration.md")
    keys = [key.path for key in config.describe_tables() if key.path.startswith("contracts.")]
    assert len(keys) > 30 and [key for key in keys if f"`{key}`" not in page] == []


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_address_is_described(form: str) -> None:
    assert f"`{form}`" in text("configuration.md")


ROUTES = [f"{endpoint.method} {endpoint.path}" for endpoint in all_endpoints()]


@pytest.mark.parametrize("route", [*ROUTES, "GET /", "GET /docs", "GET /api/openapi.json"])
def test_every_route_is_described(route: str) -> None:
    assert f"`{route}`" in text("http.md")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described(name: str) -> None:
    assert re.search(rf"^## {name}$", text("command-line.md"), re.MULTILINE)


def test_every_register_is_described() -> None:
    page = text("registers.md")
    assert [row.key for row in REGISTERS.values() if f"| `{row.obis.short}` | `{row.key}` |" not in page] == []


@pytest.mark.parametrize("page", SITE_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text())
    targets += re.findall(r"(?:src|srcset|href)=\"(?!https?:)([^\"]+)\"", page.read_text())
    assert [target for target in targets if not leads_somewhere(page, target)] == []


def leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    return there.exists() and (not anchor or anchor in anchors(there))


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_send_readers_to_known_places_only(page: Path) -> None:
    hosts = re.findall(r"https?://([^/:\s)>\"'`]+)", page.read_text())
    assert {host for host in hosts if host not in HOSTS and not OWN.fullmatch(host)} == set()


@pytest.mark.parametrize("page", SITE_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_external_link_has_the_form_of_an_address(page: Path) -> None:
    for target in re.findall(r"\]\((https?:[^)]*)\)|<(https?:[^>]*)>", page.read_text()):
        parts = urlsplit("".join(target))
        assert parts.hostname and not re.search(r"\s|[.,;]$", "".join(target)), target
        # everything else can be had encrypted
        assert parts.scheme == "https" or OWN.fullmatch(parts.hostname), target


def code_blocks(page: Path, language: str) -> Iterator[str]:
    """Without the indentation of a list."""
    for match in BLOCK.finditer(page.read_text()):
        if match["language"] == language:
            yield textwrap.dedent(match["text"])


@pytest.mark.parametrize("page", SITE_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_code_block_says_its_language(page: Path) -> None:
    content = page.read_text()
    languages = [match["language"] for match in BLOCK.finditer(content)]
    assert 2 * len(languages) == len(re.findall(r"^ *```", content, re.MULTILINE))
    assert [language for language in languages if language not in LANGUAGES] == []


@pytest.mark.parametrize("page", SITE_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_is_one_that_the_program_has(page: Path) -> None:
    lines = [line for block in code_blocks(page, "console") for line in block.splitlines()]
    assert {line: problem for line in lines for words in calls(line) if (problem := problem_of(words))} == {}


def calls(line: str) -> Iterator[list[str]]:
    """The words after our command, in each command of a line of a shell; a comment or two spaces end it."""
    for part in re.split(r"\||&&|;|>", re.split(r"\s{2,}|\s#", line)[0]):
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        # the service of docker-compose.yml has the same name; the command is its last one
        places = [place for place, word in enumerate(words) if word.rpartition("/")[2] == NAME]
        if places and not re.search(
            r"systemctl|journalctl|apt|dpkg|logs$|/etc/|cp |docker (compose )?(pull|stop)", part
        ):
            yield words[places[-1] + 1 :]


@pytest.mark.parametrize("page", SITE_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_configuration_in_a_page_can_be_loaded(page: Path, tmp_path: Path) -> None:
    for block in code_blocks(page, "toml"):
        content = tomllib.loads(block)
        if set(content) <= {section.partition(".")[0] for section in config.SECTIONS}:
            file = tmp_path / "iskra-server.toml"
            file.write_text(block)
            loaded = config.load({}, file)
            assert [finding for finding in contract_findings(loaded.contracts, loaded.offers, date(2026, 12, 31))
                    if finding.level == "error"] == []  # fmt: skip


class AnyTag(yaml.SafeLoader):
    """Home Assistant and ESPHome have tags of their own, such as !secret."""


AnyTag.add_multi_constructor("!", lambda loader, tag, node: None)


@pytest.mark.parametrize("page", SITE_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_yaml_and_json_in_a_page_can_be_read(page: Path) -> None:
    for block in code_blocks(page, "yaml"):
        assert isinstance(yaml.load(block, AnyTag), dict | list), block
    for block in code_blocks(page, "json"):
        assert isinstance(json.loads(block), dict | list), block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(rf"(?<![-/\w.]){NAME} ([a-z]+)(?= |`|$)", page.read_text(), re.MULTILINE)
    assert set(named) - set(COMMANDS) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named - targets == set()


def test_the_yaml_for_home_assistant_is_what_the_command_prints() -> None:
    total = yaml.safe_load("\n".join(total_yaml("http://raspberrypi.local:18080")))
    assert [yaml.safe_load(block) for block in blocks(ROOT / "README.md", "yaml")] == [total]
    first, second = map(yaml.safe_load, blocks(DOCS / "home-assistant.md", "yaml"))
    assert first == total
    assert [sensor["unique_id"].partition("_")[2] for sensor in second["rest"][0]["sensor"]] == [
        "energy_import",
        "energy_export",
        "power",
    ]


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "iskra-server.toml"
    example, prices = blocks(DOCS / "configuration.md", "toml")
    file.write_text(example + prices)
    assert len(config.load({}, file).contracts) == 2
    assert [meter.name for meter in config.load({}, file).meters] == ["House", "Heat pump"]


def test_each_example_of_a_contract_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "iskra-server.toml"
    examples = blocks(DOCS / "contracts.md", "toml")
    assert len(examples) == 8
    for example in examples:
        file.write_text(example)
        configured = config.load({}, file).contracts
        assert len(configured) == 1 and contract_findings(configured, [], date(2026, 12, 31)) == []


def test_the_readme_names_the_command_that_runs_and_the_one_that_tests_side_by_side() -> None:
    lines = blocks(ROOT / "README.md", "console")[0].splitlines()
    assert [line.partition("#")[0].strip() for line in lines] == ["make demo", "make test"]
    # each installs what it needs
    needed = {"demo": "$(RUNTIME)", "run": "$(RUNTIME)", "test": "prepared", "compiled": "setup"}
    rules = (ROOT / "Makefile").read_text().splitlines()
    assert [name for name, needs in needed.items() if f"{name}: {needs}" not in rules] == []


def test_the_answers_in_the_readme_are_what_the_demo_gives() -> None:
    """But for the time and the value, which are always others."""
    asked = re.findall(r"^\$ curl http://localhost:8080(\S+)\n(.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [path for path, _ in asked] == ["/api/electricity/cumulated"]
    with serving("demo") as server:
        until(lambda: server.cumulated().status_code == 200)
        for path, answer in asked:
            assert without_time_and_value(server.get(path).text) == without_time_and_value(answer)


def without_time_and_value(answer: str) -> str:
    answer = re.sub(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"', '"TIME"', answer)
    return re.sub(r'"value":\d+\.\d{4}\b', '"value":VALUE', answer)


@pytest.mark.slow
def test_the_value_in_the_readme_is_that_of_the_demo_at_that_second() -> None:
    second, value = re.findall(r'"time":"([^"]+)\.\d{3}Z".*"value":([\d.]+)', (ROOT / "README.md").read_text())[0]
    now = datetime.fromisoformat(f"{second}Z")
    telegram = next(telegrams("MT175", start=now, since=first_moment(now)))
    readings = [result for result in decoder(profile("MT175")).feed(telegram) if isinstance(result, Reading)]
    assert [number.value for number in readings[0].numbers() if number.obis.short == "1-0:1.8.0"] == [
        Decimal(value) * 1000
    ]


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_locked_requirements_have_hashes_and_no_addresses(lock: Path) -> None:
    content = lock.read_text()
    pins = re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", content, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9]", content, re.MULTILINE)) > 0
    assert not re.search(r"://|^-", content, re.MULTILINE)


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, build, dev = (names(ROOT / "requirements" / f"{name}.txt") for name in ("runtime", "build", "dev"))
    assert {name_of(line) for line in project["project"]["dependencies"]} - runtime == set()
    assert {name_of(line) for line in project["build-system"]["requires"]} - build == set()
    assert {name_of(line) for line in chain(*project["dependency-groups"].values())} | runtime | build <= dev


def names(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE))


def name_of(requirement: str) -> str:
    found = re.match(r"[a-z0-9-]+", requirement)
    assert found, requirement
    return found[0]
