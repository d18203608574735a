"""The files that a forge and its visitors read: licences, citation, issue forms, and where they lead."""

import importlib.metadata
import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from iskra_server import __version__
from iskra_server.cli import COMMANDS, NAME

ROOT = Path(__file__).parent.parent
FORMS = sorted(form for form in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if form.name != "config.yml")
VENDOR = ROOT / "src/iskra_server/web/static/vendor"
# needed on Windows only: in no image and no package
WINDOWS_ONLY = {"colorama", "pywin32"}
# what older packages say instead of an SPDX expression; without either, their classifiers say it
SPDX = {
    "ISC License": "ISC",
    "MIT License": "MIT",
    "The MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
}


def test_notice_names_what_the_image_holds_under_its_licence() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/image.txt").read_text(), re.MULTILINE))
    listed = dict(re.findall(r"^  ([a-z0-9-]+)  +(\S.*)$", (ROOT / "NOTICE").read_text(), re.MULTILINE))
    assert set(listed) == locked - WINDOWS_ONLY
    installed = {dist.name.lower().replace("_", "-"): dist for dist in importlib.metadata.distributions()}
    stated = {name: licence_of(installed[name]) for name in listed if name in installed}
    assert len(stated) > 20 and {name: listed[name] for name in stated} == stated


def licence_of(package: importlib.metadata.Distribution) -> str:
    headers = package.metadata.json
    classifiers = headers.get("classifier", [])
    named = [line.rpartition(" :: ")[2] for line in classifiers if str(line).startswith("License :: ")]
    if expression := headers.get("license_expression"):
        return str(expression)
    if len(named) > 1 or not headers.get("license"):
        return " OR ".join(SPDX.get(name, name) for name in named)
    return SPDX.get(str(headers["license"]), str(headers["license"]))


def test_notice_names_the_library_on_the_page_in_its_version() -> None:
    vendored = json.loads((VENDOR / "vendored.json").read_text())
    assert f"{vendored['name']} {vendored['package'].partition('@')[2]}," in (ROOT / "NOTICE").read_text()


def test_reuse_knows_the_licence_of_what_others_wrote() -> None:
    entries = tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"]
    for file in VENDOR.glob("uPlot*"):
        name = str(file.relative_to(ROOT))
        assert [entry["SPDX-License-Identifier"] for entry in entries if fnmatch(name, entry["path"])][-1] == "MIT"
    texts = {text.stem for text in (ROOT / "LICENSES").iterdir()}
    assert texts == {entry["SPDX-License-Identifier"] for entry in entries}
    assert (ROOT / "LICENSES/Apache-2.0.txt").read_text() == (ROOT / "LICENSE").read_text()


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"], citation["type"]) == (__version__, "Apache-2.0", "software")
    assert {"cff-version", "message", "title", "authors"} - set(citation) == set()


def test_the_readme_leads_to_every_page_for_visitors() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = sorted(page.name for page in ROOT.glob("*.md") if page.name != "README.md")
    assert [page for page in pages if f"]({page})" not in readme] == []


def test_what_is_asked_for_in_the_issue_forms_is_there() -> None:
    assert [form.stem for form in FORMS] == ["my_battery", "my_meter", "wrong_value"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_an_issue_form_has_fields_of_its_own_and_names_commands_that_exist(form: Path) -> None:
    """Its schema is checked by `make check`."""
    body = yaml.safe_load(form.read_text())["body"]
    ids = [field["id"] for field in body if field["type"] != "markdown"]
    labels = [field["attributes"]["label"] for field in body if field["type"] != "markdown"]
    assert len(set(ids)) == len(ids) and len(set(labels)) == len(labels)
    assert set(re.findall(rf"{NAME} ([a-z][a-z-]*)", form.read_text())) - set(COMMANDS) == set()


@pytest.mark.parametrize("name", ["my_meter", "wrong_value"])
def test_forms_about_readings_ask_for_the_support_bundle(name: str) -> None:
    fields = {field.get("id"): field for field in yaml.safe_load(form_text(name))["body"]}
    assert fields["bundle"]["validations"]["required"] and "support-bundle" in str(fields["bundle"]["attributes"])


def form_text(name: str) -> str:
    return (ROOT / f".github/ISSUE_TEMPLATE/{name}.yml").read_text()


def test_a_vulnerability_is_reported_in_private() -> None:
    """No form and no page for questions asks for it in public; SECURITY.md says how, and when there is an answer."""
    policy = (ROOT / "SECURITY.md").read_text()
    assert "*Report a vulnerability*" in policy and "within 7 days" in policy
    assert all(
        "SECURITY.md" in (ROOT / page).read_text() for page in ("SUPPORT.md", ".github/PULL_REQUEST_TEMPLATE.md")
    )
