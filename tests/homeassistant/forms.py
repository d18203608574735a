"""Our integration as its owner handles it: forms, entries, options, repairs, devices, the download of diagnostics."""

from typing import Any

from homeassistant.instance import HomeAssistant
from homeassistant.release import OURS

DOMAIN = OURS.name
FLOWS = "/api/config/config_entries/flow"
OPTIONS = "/api/config/config_entries/options/flow"
ENTRIES = "/api/config/config_entries/entry"

Form = dict[str, Any]
Entry = dict[str, Any]


def opened(assistant: HomeAssistant, **more: str) -> Form:
    """The form of a new entry, or with `entry_id` the one that changes it."""
    form: Form = assistant.post(FLOWS, {"handler": DOMAIN, "show_advanced_options": False, **more})
    return form


def answered(assistant: HomeAssistant, form: Form, answers: dict[str, object], at: str = FLOWS) -> Form:
    """What comes after the answers: the same form with errors, the end, or why it ends."""
    after: Form = assistant.post(f"{at}/{form['flow_id']}", answers)
    return after


def waiting(assistant: HomeAssistant, source: str) -> list[Form]:
    """The forms that Home Assistant offers by itself, to be opened with `shown`."""
    flows = assistant.ask("config_entries/flow/progress")
    return [flow for flow in flows if flow["handler"] == DOMAIN and flow["context"]["source"] == source]


def shown(assistant: HomeAssistant, flow: Form) -> Form:
    form: Form = assistant.get(f"{FLOWS}/{flow['flow_id']}")
    return form


def add(assistant: HomeAssistant, **answers: object) -> Entry:
    """By hand, without a mistake."""
    done = answered(assistant, opened(assistant), answers)
    assert done["type"] == "create_entry", done.get("errors", done)
    entry: Entry = done["result"]
    return entry


def set_options(assistant: HomeAssistant, entry: Entry, **answers: object) -> None:
    form = assistant.post(OPTIONS, {"handler": entry["entry_id"]})
    done = answered(assistant, form, answers, OPTIONS)
    assert done["type"] == "create_entry", done


def fields(form: Form) -> list[str]:
    return [field["name"] for field in form["data_schema"] or ()]


def entries(assistant: HomeAssistant) -> list[Entry]:
    found: list[Entry] = assistant.ask("config_entries/get", domain=DOMAIN)
    return found


def remove(assistant: HomeAssistant, entry: Entry) -> None:
    assistant.delete(f"{ENTRIES}/{entry['entry_id']}")


def issues(assistant: HomeAssistant) -> dict[str, dict[str, Any]]:
    """What stands under Repairs, by id."""
    listed = assistant.ask("repairs/list_issues")["issues"]
    return {issue["issue_id"]: issue for issue in listed if issue["domain"] == DOMAIN}


def devices(assistant: HomeAssistant) -> dict[str, dict[str, Any]]:
    """By the identifier that the integration gives them."""
    listed = assistant.ask("config/device_registry/list")
    return {name: device for device in listed for domain, name in device["identifiers"] if domain == DOMAIN}


def remove_device(assistant: HomeAssistant, entry: Entry, device: dict[str, Any]) -> None:
    command = "config/device_registry/remove_config_entry"
    assistant.ask(command, config_entry_id=entry["entry_id"], device_id=device["id"])


def download(assistant: HomeAssistant, entry: Entry) -> Any:
    """The diagnostics that a user attaches to a report."""
    return assistant.get(f"/api/diagnostics/config_entry/{entry['entry_id']}")


def sentence(assistant: HomeAssistant, language: str, *path: str) -> str:
    """A text of the integration, such as config, error, invalid_auth."""
    wanted = {"language": language, "category": path[0], "integration": [DOMAIN]}
    texts: dict[str, str] = assistant.ask("frontend/get_translations", **wanted)["resources"]
    return texts[".".join(("component", DOMAIN, *path))]
