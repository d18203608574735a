"""The rules of hassfest (script/hassfest of Home Assistant) and of HACS for an integration of its own, on our files."""

import ast
import json
import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REPOSITORY = ROOT / "integrations" / "homeassistant"
FOLDER = REPOSITORY / "custom_components" / "iskra_server"
KEYS = {
    *(
        "after_dependencies",
        "bluetooth",
        "codeowners",
        "config_flow",
        "dependencies",
        "dhcp",
        "disabled",
        "documentation",
    ),
    *(
        "domain",
        "homekit",
        "import_executor",
        "integration_type",
        "iot_class",
        "issue_tracker",
        "loggers",
        "mqtt",
        "name",
    ),
    *("quality_scale", "requirements", "single_config_entry", "ssdp", "usb", "version", "zeroconf"),
}
# the first of Home Assistant, all of HACS
REQUIRED = {"domain", "name", "documentation", "codeowners", "iot_class", "version", "issue_tracker"}
TYPES = {"device", "entity", "hardware", "helper", "hub", "service", "system"}
IOT_CLASSES = {"assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push"}
VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc|-[a-z]+\.?)\d+)?")
# may be imported without being a dependency, besides every platform
INTERNAL = {
    *(
        "alert",
        "automation",
        "conversation",
        "default_config",
        "device_automation",
        "frontend",
        "group",
        "homeassistant",
    ),
    *("input_boolean", "input_button", "input_datetime", "input_number", "input_select", "input_text", "media_source"),
    *("onboarding", "panel_custom", "persistent_notification", "person", "script", "shopping_list", "sun"),
    *("system_health", "system_log", "timer", "webhook", "websocket_api", "zone", "diagnostics", "repairs"),
}
PLATFORMS = {"binary_sensor", "button", "event", "number", "select", "sensor", "switch", "text", "time", "update"}
RULES = {
    "bronze": (
        *(
            "action-setup",
            "appropriate-polling",
            "brands",
            "common-modules",
            "config-flow",
            "config-flow-test-coverage",
        ),
        *("dependency-transparency", "docs-actions", "docs-conditions", "docs-high-level-description"),
        *("docs-installation-instructions", "docs-removal-instructions", "docs-triggers", "entity-event-setup"),
        *("entity-unique-id", "has-entity-name", "runtime-data", "test-before-configure", "test-before-setup"),
        "unique-config-entry",
    ),
    "silver": (
        *(
            "action-exceptions",
            "config-entry-unloading",
            "docs-configuration-parameters",
            "docs-installation-parameters",
        ),
        *(
            "entity-unavailable",
            "integration-owner",
            "log-when-unavailable",
            "parallel-updates",
            "reauthentication-flow",
        ),
        "test-coverage",
    ),
    "gold": (
        *("devices", "diagnostics", "discovery", "discovery-update-info", "docs-data-update", "docs-examples"),
        *("docs-known-limitations", "docs-supported-devices", "docs-supported-functions", "docs-troubleshooting"),
        *("docs-use-cases", "dynamic-devices", "entity-category", "entity-device-class", "entity-disabled-by-default"),
        *(
            "entity-translations",
            "exception-translations",
            "icon-translations",
            "reconfiguration-flow",
            "repair-issues",
        ),
        "stale-devices",
    ),
    "platinum": ("async-dependency", "inject-websession", "strict-typing"),
}
TOP = {
    *("application_credentials", "common", "conditions", "config", "config_panel", "config_subentries", "conversation"),
    *(
        "device",
        "device_automation",
        "entity",
        "entity_component",
        "exceptions",
        "issues",
        "options",
        "preview_features",
    ),
    *("selector", "services", "system_health", "title", "triggers"),
}
STEP = {
    "data",
    "data_description",
    "description",
    "menu_option_descriptions",
    "menu_options",
    "sections",
    "submit",
    "title",
}
TRANSLATION_KEY = re.compile(r"(?!.+[_-]{2})(?![_-])[a-z0-9-_]+(?<![_-])")
URL = re.compile(r"(?:(?:ftp|ftps|scp|https?|mqtts?|socket|socks5)://|www\.)[a-z0-9]", re.IGNORECASE)
ICON = re.compile(r"mdi:[a-z0-9-]+")
PLACEHOLDER = re.compile(r"\{(\w*)\}")
HACS = {
    *("content_in_root", "country", "filename", "hacs", "hide_default_branch", "homeassistant", "name"),
    *("persistent_directory", "render_readme", "zip_release"),
}

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the integration is not there")


@cache
def content(name: str) -> Any:
    text = (FOLDER / name).read_text()
    return yaml.safe_load(text) if name.endswith(".yaml") else json.loads(text)


@cache
def modules() -> dict[str, ast.Module]:
    return {path.name: ast.parse(path.read_text()) for path in FOLDER.rglob("*.py")}


def nodes() -> Iterator[ast.AST]:
    for module in modules().values():
        yield from ast.walk(module)


def functions(*names: str) -> set[str]:
    """The methods and functions of these modules, or of all."""
    trees = [tree for name, tree in modules().items() if not names or name in names]
    found = (node for tree in trees for node in ast.walk(tree))
    return {node.name for node in found if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)}


def attributes() -> set[str]:
    return {node.attr for node in nodes() if isinstance(node, ast.Attribute)}


def leaves(tree: Any, *path: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text with the keys that lead to it."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, *path, key)
    else:
        yield path, tree


def test_the_manifest_has_the_keys_that_are_allowed_in_their_order() -> None:
    manifest = content("manifest.json")
    assert manifest.keys() <= KEYS
    assert manifest.keys() >= REQUIRED
    assert list(manifest) == ["domain", "name", *sorted(manifest.keys() - {"domain", "name"})]


def test_the_manifest_says_what_is_allowed() -> None:
    manifest = content("manifest.json")
    assert manifest["domain"] == FOLDER.name
    assert manifest["integration_type"] in TYPES
    assert manifest["iot_class"] in IOT_CLASSES
    assert VERSION.fullmatch(manifest["version"])
    assert manifest["codeowners"] and all(owner.startswith("@") for owner in manifest["codeowners"])
    for name in ("documentation", "issue_tracker"):
        url = urlparse(manifest[name])
        assert (url.scheme, url.netloc) != ("https", "www.home-assistant.io") and url.scheme == "https" and url.netloc
    for requirement in manifest.get("requirements", ()):
        assert "==" in requirement
    for service in manifest["zeroconf"]:
        assert (service if isinstance(service, str) else service["type"]).endswith(".local.")
    assert not set(manifest.get("dependencies", ())) & set(manifest.get("after_dependencies", ()))


def test_what_is_imported_is_a_dependency() -> None:
    manifest = content("manifest.json")
    declared = {*manifest.get("dependencies", ()), *manifest.get("after_dependencies", ())}
    assert imported() <= declared | INTERNAL | PLATFORMS


def imported() -> set[str]:
    """The integrations that are imported when Home Assistant runs."""
    typed = {
        inner
        for node in nodes()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    found = set[str]()
    for node in nodes():
        if isinstance(node, ast.ImportFrom) and not node.level and node not in typed:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name.split(".")[2] for name in names if name.startswith("homeassistant.components.")}
    return found


@pytest.mark.parametrize("name", ["strings.json", "translations/en.json", "translations/de.json"])
def test_texts_are_as_home_assistant_takes_them(name: str) -> None:
    texts = content(name)
    assert texts.keys() <= TOP
    for path, text in leaves(texts):
        assert text == text.strip() != "", path
        assert not URL.search(text), f"{path}: an address has to be a placeholder"
        assert not re.search(r"<[a-z/]", text), f"{path}: no HTML"
        assert "[%key:" not in text, f"{path}: only Home Assistant's own can refer to others"
        assert not re.search(r"'\{\w+\}'", text), f"{path}: no placeholder in single quotes"
        assert all(placeholder.isidentifier() for placeholder in PLACEHOLDER.findall(text)), path
    for kind in ("entity", "exceptions", "services", "selector"):
        for path, _ in leaves(texts.get(kind, {})):
            assert all(TRANSLATION_KEY.fullmatch(key) for key in path), path


@pytest.mark.parametrize("name", ["strings.json", "translations/en.json", "translations/de.json"])
def test_every_field_of_a_form_is_named_and_described(name: str) -> None:
    texts = content(name)
    forms = [texts["config"], texts.get("options", {"step": {}})]
    forms += [issue["fix_flow"] for issue in texts.get("issues", {}).values() if "fix_flow" in issue]
    for form in forms:
        for step, words in form["step"].items():
            assert words.keys() <= STEP, step
            assert words.get("data_description", {}).keys() == words.get("data", {}).keys(), step
    for key, issue in texts.get("issues", {}).items():
        assert issue["title"] and ("description" in issue) != ("fix_flow" in issue), key


def test_every_language_has_every_text_with_the_same_placeholders() -> None:
    assert content("strings.json") == content("translations/en.json")
    english, german = (dict(leaves(content(f"translations/{name}.json"))) for name in ("en", "de"))
    assert english.keys() == german.keys()
    for path, text in english.items():
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(german[path])), path


def test_every_key_that_the_code_names_has_a_text() -> None:
    keys = {key for path, _ in leaves(content("strings.json")) for key in path}
    named = {
        keyword.value.value
        for node in nodes()
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "translation_key" and isinstance(keyword.value, ast.Constant)
    }
    assert named <= keys


def test_icons_are_of_entities_that_have_a_name() -> None:
    icons, texts = content("icons.json"), content("strings.json")
    assert icons.keys() <= {"entity", "services", "triggers", "conditions"}
    for path, icon in leaves(icons):
        assert ICON.fullmatch(icon), path
    for platform, entities in icons["entity"].items():
        assert entities.keys() <= texts["entity"][platform].keys()
        for words in entities.values():
            assert words.keys() <= {"default", "state", "state_attributes", "range"}


def test_services_are_described_and_have_an_icon() -> None:
    registered = {"async_register", "async_register_admin_service", "async_register_entity_service"} & attributes()
    if not (FOLDER / "services.yaml").exists():
        assert not registered
        return
    services, texts, icons = (content(name) for name in ("services.yaml", "strings.json", "icons.json"))
    assert services.keys() == texts["services"].keys() == icons["services"].keys()
    for name, service in services.items():
        words = texts["services"][name]
        assert words["name"] and words["description"]
        assert service.get("fields", {}).keys() == words.get("fields", {}).keys()
        assert all(field["name"] and field["description"] for field in words.get("fields", {}).values())
        for field in service.get("fields", {}).values():
            assert field.keys() <= {"advanced", "default", "example", "filter", "required", "selector"}
    # set up without an entry, so that an automation that names one can be checked
    assert "async_setup" in functions("__init__.py")
    assert re.search(r"^CONFIG_SCHEMA\b", (FOLDER / "__init__.py").read_text(), re.MULTILINE)


def test_every_rule_of_the_quality_scale_is_done_or_says_why_not() -> None:
    rules = content("quality_scale.yaml")["rules"]
    assert set(rules) == {rule for tier in RULES.values() for rule in tier}
    for name, status in rules.items():
        if status != "done":
            assert status["status"] in ("done", "exempt", "todo"), name
            assert status.get("comment"), name


@pytest.mark.parametrize(
    ("rule", "has"),
    [
        (
            "config-flow",
            lambda: content("manifest.json")["config_flow"] and "async_step_user" in functions("config_flow.py"),
        ),
        ("unique-config-entry", lambda: {"async_set_unique_id", "_abort_if_unique_id_configured"} <= attributes()),
        ("runtime-data", lambda: "runtime_data" in attributes()),
        ("test-before-setup", lambda: raised() & {"ConfigEntryNotReady", "ConfigEntryAuthFailed"}),
        ("config-entry-unloading", lambda: "async_unload_entry" in functions("__init__.py")),
        ("reauthentication-flow", lambda: "async_step_reauth" in functions("config_flow.py")),
        ("reconfiguration-flow", lambda: "async_step_reconfigure" in functions("config_flow.py")),
        ("discovery", lambda: {"async_step_zeroconf", "async_step_hassio"} <= functions("config_flow.py")),
        ("diagnostics", lambda: "async_get_config_entry_diagnostics" in functions("diagnostics.py")),
        ("stale-devices", lambda: "async_remove_config_entry_device" in functions()),
        ("inject-websession", lambda: any("aiohttp_client" in (getattr(node, "module", "") or "") for node in nodes())),
        ("has-entity-name", lambda: "_attr_has_entity_name" in assigned()),
        ("parallel-updates", lambda: all("PARALLEL_UPDATES" in top(name) for name in platforms())),
    ],
)
def test_what_is_done_is_found_in_the_code(rule: str, has: Any) -> None:
    if content("quality_scale.yaml")["rules"][rule] == "done":
        assert has()


def raised() -> set[str]:
    """Names of the exceptions that are raised, also by a function of Home Assistant's that raises one."""
    calls = (node.exc for node in nodes() if isinstance(node, ast.Raise) and node.exc)
    names = {ast.unparse(call.func if isinstance(call, ast.Call) else call) for call in calls}
    return names | ({"ConfigEntryNotReady"} if "async_config_entry_first_refresh" in attributes() else set())


def assigned() -> set[str]:
    targets = [node.targets for node in nodes() if isinstance(node, ast.Assign)]
    targets += [[node.target] for node in nodes() if isinstance(node, ast.AnnAssign)]
    return {ast.unparse(target) for several in targets for target in several}


def top(module: str) -> set[str]:
    return {
        ast.unparse(target)
        for node in modules()[module].body
        if isinstance(node, ast.Assign)
        for target in node.targets
    }


def platforms() -> set[str]:
    return {name for name in modules() if name.removesuffix(".py") in PLATFORMS}


def test_hacs_finds_what_it_wants() -> None:
    hacs = json.loads((REPOSITORY / "hacs.json").read_text())
    assert hacs.keys() <= HACS and hacs["name"]
    assert re.fullmatch(r"20\d\d\.\d+\.\d+", hacs["homeassistant"])
    assert ("filename" in hacs) == bool(hacs.get("zip_release"))
    assert [path.name for path in (REPOSITORY / "custom_components").iterdir() if path.is_dir()] == [FOLDER.name]
    assert (REPOSITORY / "README.md").exists() and (REPOSITORY / "LICENSE").exists()


@pytest.mark.parametrize(("name", "side"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_the_brand_has_an_icon(name: str, side: int) -> None:
    head = (FOLDER / "brand" / name).read_bytes()[:24]
    assert head.startswith(b"\x89PNG") and struct.unpack(">II", head[16:]) == (side, side)
