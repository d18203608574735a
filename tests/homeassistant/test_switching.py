"""Entities that go, and the other form of discovery: the last phases, as not every release comes through them."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from homeassistant.entities import BUTTON, BY_MQTT, BY_OURS, are_right, complaints, invalid, registers, shown, young
from homeassistant.forms import add, devices, entries, remove, remove_device, set_options
from homeassistant.home import PORT, Home
from homeassistant.instance import EVERY_S, HomeAssistant
from homeassistant.network import PI_NAME
from outputs.mqtt.broker import retained
from running import until

SOON_S = 120.0
# the first that knows the device form
KNOWS_DEVICES = (2025, 1)
OLD_METER = "1 ISK 00 10000001"


def test_a_meter_that_is_removed_takes_its_entities_along(house: Home) -> None:
    for assistant in house.assistants:
        assert len(meters(assistant)) == 2
    assert house.command("meters", "remove", OLD_METER).startswith(f"{OLD_METER} is removed")
    for assistant in house.assistants:
        until(lambda: meters(assistant) == {house.meter.server_id}, SOON_S, EVERY_S)  # noqa: B023
        assert not any(house.meter.server_id not in unique for unique in shown(assistant, BY_MQTT))
    are_right(house, SOON_S)
    # a server that has started again knows nothing of it
    house.stop_server()
    house.start_server()
    are_right(house, SOON_S)
    for assistant in young(house):
        (entry,) = entries(assistant)
        remove_device(assistant, entry, devices(assistant)[OLD_METER])
        assert devices(assistant).keys() >= {house.meter.label}
        assert {unique.split("_")[0] for unique in registers(assistant, BY_OURS)} == {house.meter.id}


def test_an_entry_that_is_removed_and_added_again_keeps_its_statistics(house: Home) -> None:
    for assistant in young(house):
        unique = f"{house.meter.id}_energy_import"
        entity = assistant.entities(BY_OURS)[unique]
        before = assistant.sums(entity, "5minute")
        assert before
        (entry,) = entries(assistant)
        remove(assistant, entry)
        assert unique not in assistant.entities(BY_OURS)
        set_options(assistant, add(assistant, host=PI_NAME, port=PORT), update_every_s=0)
    are_right(house, SOON_S)
    for assistant in young(house):
        assert assistant.entities(BY_OURS)[unique] == entity
        assert before.items() <= assistant.sums(entity, "5minute").items()
        assert invalid(assistant) == {}


def test_statistics_are_filled_for_administrators_alone(house: Home) -> None:
    """Here, as Home Assistant warns of whoever is refused."""
    for assistant in young(house):
        (button,) = (entity for unique, entity in assistant.entities(BY_OURS).items() if unique.endswith(BUTTON))
        for is_admin in (False, True):
            with guest(assistant, is_admin=is_admin) as client:
                for service, entity in (("iskra_server/fill_gaps", "sensor.none"), ("button/press", button)):
                    answer = client.post(f"/api/services/{service}", json={"entity_id": [entity]})
                    # hours that cannot be filled are an error of their own
                    assert (answer.status_code == 401) is not is_admin, (service, answer.text)


@contextmanager
def guest(assistant: HomeAssistant, *, is_admin: bool) -> Iterator[httpx.Client]:
    """Somebody else of the home, signed in as on the page."""
    group = "system-admin" if is_admin else "system-users"
    user = assistant.ask("config/auth/create", name=group, group_ids=[group])["user"]["id"]
    person = {"username": group, "password": "not-a-secret"}
    assistant.ask("config/auth_provider/homeassistant/create", user_id=user, **person)
    about = {"client_id": f"{assistant.url}/"}
    with httpx.Client(base_url=assistant.url, timeout=60) as client:
        form = client.post(
            "/auth/login_flow", json={**about, "handler": ["homeassistant", None], "redirect_uri": f"{assistant.url}/"}
        ).json()
        code = client.post(f"/auth/login_flow/{form['flow_id']}", json=about | person).json()["result"]
        grant = {"grant_type": "authorization_code", "code": code}
        token = client.post("/auth/token", data=about | grant).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client
    assistant.ask("config/auth/delete", user_id=user)


@pytest.mark.slow
def test_switching_the_form_leaves_every_entity_as_it_was(house: Home) -> None:
    younger = [one for one in house.assistants if tuple(map(int, one.version.split(".")[:2])) >= KNOWS_DEVICES]
    for assistant in set(house.assistants) - set(younger):
        assistant.end()
    house.assistants = younger
    before = [(listed(assistant), unexpected(assistant)) for assistant in younger]
    for form in ("device", "classic"):
        house.stop_server()
        house.meter.imported += 3
        house.start_server(MQTT_DISCOVERY=form)
        until(lambda: forms(house) == {form}, SOON_S, EVERY_S)  # noqa: B023
        are_right(house, SOON_S)
        assert [(listed(assistant), unexpected(assistant)) for assistant in younger] == before


def unexpected(assistant: HomeAssistant) -> list[str]:
    """But for what 2025.4.4 warns of each entity on the way back to the classic form: they stay as they were."""
    return [entry for entry in complaints(assistant) if "Received a conflicting MQTT discovery" not in entry]


def meters(assistant: HomeAssistant) -> set[str]:
    """The server ids of those that have entities."""
    return {unique.split("_")[1] for unique in registers(assistant)}


def listed(assistant: HomeAssistant) -> list[tuple[str, str]]:
    """Everything that MQTT brought, registered."""
    entries = assistant.ask("config/entity_registry/list")
    return sorted((one["entity_id"], one["unique_id"]) for one in entries if one["platform"] == "mqtt")


def forms(house: Home) -> set[str]:
    """In which discovery stands at the broker."""
    topics = retained(house.broker.port, "homeassistant/", address=house.broker.address)
    return {"device" if topic.startswith("homeassistant/device/") else "classic" for topic in topics}
