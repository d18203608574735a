"""Our integration in the real Home Assistant, with a second server of the home: found, set up, changed, removed.

That of the home was set up by hand before; the other files hold its entities against the meter.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import trustme
from zeroconf import IPVersion, ServiceInfo, Zeroconf

from homeassistant import forms, release
from homeassistant.entities import BESIDES, BY_OURS, UNAVAILABLE, has_repair, shown, young
from homeassistant.forms import Entry
from homeassistant.home import PORT, Home
from homeassistant.instance import EVERY_S, HomeAssistant
from homeassistant.network import FOREIGN_NAME, PI_NAME
from homeassistant.servers import ATTIC_PORT, Attic, Cabinet, attic
from iskra_server.meter.registers import BY_KEY
from running import until

SOON_S = 120.0
KNOWS_RECONFIGURE = (2024, 11)
TLS_PORT, SILENT_PORT, CABINET_PORT = 18443, 18444, 18445
# how Home Assistant has the units of the API
UNITS = {"Wh": "kWh", "varh": "kvarh", "VAh": "kVAh", "J": "GJ"}
SCALES = {"Wh": -3, "varh": -3, "VAh": -3, "J": -9}


@pytest.fixture(scope="module")
def upstairs(house: Home) -> Iterator[Attic]:
    if not any(assistant.has_ours for assistant in house.assistants):
        pytest.skip("needs a Home Assistant that is young enough for the integration")
    with attic(house.pi, house.folder / "attic") as made:
        yield made


def test_a_server_that_is_set_up_is_not_offered(house: Home, upstairs: Attic) -> None:
    for assistant in young(house):
        # both are announced, and only the other one is offered
        until(lambda: forms.waiting(assistant, "zeroconf"), SOON_S, EVERY_S)  # noqa: B023
        (flow,) = forms.waiting(assistant, "zeroconf")
        assert flow["context"]["title_placeholders"]["name"]
        # also as it is pasted from the address bar of a browser
        for host, port in ((PI_NAME, PORT), (f"http://{PI_NAME}:{PORT}/", 1)):
            again = forms.answered(assistant, forms.opened(assistant), {"host": host, "port": port})
            assert (again["type"], again["reason"]) == ("abort", "already_configured")


def test_a_server_with_two_names_is_offered_once(house: Home, upstairs: Attic) -> None:
    ours, theirs = (
        running.get("/api/v1/status").json()["server"]["id"] for running in (house.server, upstairs.running)
    )
    # the second has got another id since: it is set up already
    with announced(house.pi.address, twin=(ATTIC_PORT + 2, theirs), renamed=(PORT, f"no longer {ours}")):
        for assistant in young(house):
            until(lambda: len(forms.waiting(assistant, "zeroconf")) > 1, SOON_S, EVERY_S)  # noqa: B023
            offered = {flow["context"]["unique_id"]: flow for flow in forms.waiting(assistant, "zeroconf")}
            assert offered.keys() == {theirs, f"no longer {ours}"}
            done = forms.answered(assistant, offered[f"no longer {ours}"], {})
            assert (done["type"], done["reason"]) == ("abort", "already_configured")
            assert len(forms.waiting(assistant, "zeroconf")) == 1


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        ("cannot_connect", {"port": 1}),
        ("cannot_connect", {"host": "nowhere.local"}),
        ("cannot_connect", {"ssl": True}),
        ("invalid_host", {"host": "no address"}),
        ("invalid_host", {"host": "http://["}),
        ("invalid_auth", {"port": ATTIC_PORT}),
        ("invalid_auth", {"port": ATTIC_PORT, "token": "wrong"}),
        ("invalid_auth", {"port": ATTIC_PORT, "token": "töken"}),
        ("token_limited", {"port": ATTIC_PORT, "token": "token-of-a-tenant"}),
        ("not_this_server", {"host": "127.0.0.1", "port": 8123}),
        ("unknown_host", {"host": FOREIGN_NAME}),
    ],
)
def test_a_mistake_is_said_in_one_sentence(house: Home, upstairs: Attic, error: str, wrong: dict[str, object]) -> None:
    for assistant in young(house):
        form = forms.answered(assistant, forms.opened(assistant), {"host": PI_NAME, "port": PORT} | wrong)
        assert (form["type"], form["errors"]) == ("form", {"base": error})
        for language in ("en", "de"):
            assert forms.sentence(assistant, language, "config", "error", error).endswith(".")


@pytest.mark.slow
def test_an_address_where_nothing_answers_is_a_mistake(house: Home) -> None:
    def ask(assistant: HomeAssistant) -> None:
        if assistant.has_ours:
            answers = {"host": house.pi.address, "port": SILENT_PORT}
            form = forms.answered(assistant, forms.opened(assistant), answers)
            assert form["errors"] == {"base": "no_answer"}

    # it accepts connections, and that is all
    with socket.create_server((house.pi.address, SILENT_PORT)):
        house.everywhere(ask)


def test_a_certificate_of_an_unknown_authority_is_a_mistake(house: Home, upstairs: Attic) -> None:
    with unknown_authority(house.pi.address):
        for assistant in young(house):
            answers = {"host": house.pi.address, "port": TLS_PORT, "ssl": True}
            form = forms.answered(assistant, forms.opened(assistant), answers)
            assert form["errors"] == {"base": "certificate"}
            form = forms.answered(assistant, form, answers | {"verify_ssl": False})
            assert form["errors"] == {"base": "not_this_server"}


def test_a_discovered_server_is_set_up_with_its_token_alone(house: Home, upstairs: Attic) -> None:
    for assistant in young(house):
        (flow,) = forms.waiting(assistant, "zeroconf")
        form = forms.shown(assistant, flow)
        assert (form["step_id"], forms.fields(form)) == ("discovery_confirm", ["token"])
        form = forms.answered(assistant, form, {"token": "wrong"})
        assert form["errors"] == {"base": "invalid_auth"}
        done = forms.answered(assistant, form, {"token": upstairs.token})
        assert done["type"] == "create_entry", done
        forms.set_options(assistant, done["result"], update_every_s=0)
        assert not forms.waiting(assistant, "zeroconf")
        assert len(forms.entries(assistant)) == 2


@pytest.mark.slow
def test_a_discovered_server_with_a_certificate_is_asked_about_it(house: Home, upstairs: Attic) -> None:
    """It reads the same meters, and one meter is never two devices."""
    nameless = announced(house.pi.address, nameless=(ATTIC_PORT, ""))
    with nameless, attic(house.pi, house.folder / "cabinet", Cabinet, CABINET_PORT):
        for assistant in young(house):
            until(lambda: forms.waiting(assistant, "zeroconf"), SOON_S, EVERY_S)  # noqa: B023
            # a server without an id is known by its address
            (flow,) = forms.waiting(assistant, "zeroconf")
            form = forms.shown(assistant, flow)
            assert (form["step_id"], forms.fields(form)) == ("discovery_confirm", ["verify_ssl"])
            form = forms.answered(assistant, form, {"verify_ssl": True})
            assert form["errors"] == {"base": "certificate"}
            before, twice = forms.devices(assistant), {f"two_servers_{meter['id']}" for meter in meters(upstairs)}
            done = forms.answered(assistant, form, {"verify_ssl": False})
            assert done["type"] == "create_entry", done
            until(lambda: twice <= forms.issues(assistant).keys(), SOON_S, EVERY_S)  # noqa: B023
            (added,) = forms.devices(assistant).keys() - before.keys()
            assert forms.devices(assistant)[added]["entry_type"] == "service"
            forms.remove(assistant, done["result"])
            assert not twice & forms.issues(assistant).keys()


def test_every_register_is_one_entity_with_the_digits_of_the_answer(house: Home, upstairs: Attic) -> None:
    for assistant in young(house):
        shows(assistant, upstairs)
    upstairs.meter.import_kwh = "001234.589"
    for assistant in young(house):
        shows(assistant, upstairs)
        entities = assistant.entities(BY_OURS)
        for meter in meters(upstairs):
            ours = {unique for unique in entities if unique.startswith(slug(meter))}
            registers = {unique_id(meter, register) for register in meter["registers"]}
            assert {unique for unique in ours if not unique.endswith(BESIDES)} == registers


def test_every_number_has_its_class_and_unit(house: Home, upstairs: Attic) -> None:
    for assistant in young(house):
        entities, states = assistant.entities(BY_OURS), assistant.states()
        for meter, register in sent(upstairs):
            attributes = states[entities[unique_id(meter, register)]]["attributes"]
            row = BY_KEY.get(register["name"])
            unit = register.get("unit")
            assert attributes.get("unit_of_measurement") == UNITS.get(unit or "", unit)
            if row and row.device_class:
                assert attributes["device_class"] == row.device_class
                assert attributes["state_class"] == row.state_class


def test_a_gas_meter_is_a_device_below_the_server(house: Home, upstairs: Attic) -> None:
    for assistant in young(house):
        devices = forms.devices(assistant)
        server = devices[upstairs.running.get("/api/v1/status").json()["server"]["id"]]
        assert {meter["id"] for meter in meters(upstairs)} <= devices.keys()
        assert len(meters(upstairs)) == 2
        for meter in meters(upstairs):
            assert devices[meter["id"]]["via_device_id"] == server["id"]
            assert devices[meter["id"]]["serial_number"] == meter["id"]


def test_diagnostics_keep_secrets_and_numbers_of_meters(house: Home, upstairs: Attic) -> None:
    for assistant in young(house):
        entry = entry_of(assistant, upstairs)
        text = str(forms.download(assistant, entry))
        assert "energy_import" in text
        for secret in (upstairs.token, upstairs.address, *(slug(meter) for meter in meters(upstairs))):
            assert secret not in text.lower().replace(" ", "")


def test_a_meter_that_comes_by_mqtt_too_is_a_repair(house: Home) -> None:
    has_repair(house, "mqtt_too", SOON_S)


@pytest.mark.slow
def test_a_changed_token_is_asked_for(house: Home, upstairs: Attic) -> None:
    upstairs.change_token("another-token-of-the-attic")
    for assistant in young(house):
        until(lambda: forms.waiting(assistant, "reauth"), SOON_S, EVERY_S)  # noqa: B023
        until(lambda: has_nothing(assistant, upstairs), SOON_S, EVERY_S)  # noqa: B023
    # meanwhile another server has got its address
    upstairs.stop()
    impostor = Attic(house.pi, house.folder / "impostor", upstairs.meter)
    impostor.token = "token-of-the-impostor"
    try:
        impostor.open()
        for assistant in young(house):
            done = forms.answered(assistant, forms.waiting(assistant, "reauth")[0], {"token": impostor.token})
            assert (done["type"], done["reason"]) == ("abort", "another_server")
    finally:
        impostor.stop()
    upstairs.open()
    # the token is asked for again, by itself
    for assistant in young(house):
        until(lambda: forms.waiting(assistant, "reauth"), 2 * SOON_S, EVERY_S)  # noqa: B023
        form = forms.shown(assistant, forms.waiting(assistant, "reauth")[0])
        assert forms.fields(form) == ["token"]
        form = forms.answered(assistant, form, {"token": "token-of-the-attic"})
        assert form["errors"] == {"base": "invalid_auth"}
        done = forms.answered(assistant, form, {"token": upstairs.token})
        assert (done["type"], done["reason"]) == ("abort", "reauth_successful")
        shows(assistant, upstairs)


@pytest.mark.slow
def test_another_server_at_its_address_feeds_nothing_into_its_entities(house: Home, upstairs: Attic) -> None:
    ids = {assistant: entry_of(assistant, upstairs)["entry_id"] for assistant in young(house)}
    upstairs.stop()
    impostor = Attic(house.pi, house.folder / "another", upstairs.meter)
    impostor.token = upstairs.token
    try:
        impostor.open()
        for assistant, entry_id in ids.items():
            issue = f"another_server_{entry_id}"
            until(lambda: issue in forms.issues(assistant), SOON_S, EVERY_S)  # noqa: B023
            until(lambda: has_nothing(assistant, impostor), SOON_S, EVERY_S)  # noqa: B023
            # nor after a start of Home Assistant
            assistant.post(f"{forms.ENTRIES}/{entry_id}/reload", {})
            states = {entry["entry_id"]: entry["state"] for entry in forms.entries(assistant)}
            assert states[entry_id] == "setup_retry"
            assert issue in forms.issues(assistant)
    finally:
        impostor.stop()
    upstairs.open()
    for assistant, entry_id in ids.items():
        # as its page does; by itself it tries again ever less
        assistant.post(f"{forms.ENTRIES}/{entry_id}/reload", {})
        shows(assistant, upstairs)
        assert not any(issue.startswith("another_server") for issue in forms.issues(assistant))


def test_a_server_at_another_address_is_found_again(house: Home, upstairs: Attic) -> None:
    upstairs.move(house.network.add_address(200), ATTIC_PORT + 1)
    for assistant in young(house):
        shows(assistant, upstairs)
        assert len(forms.entries(assistant)) == 2
        assert not forms.waiting(assistant, "zeroconf")


def test_an_entry_is_changed_but_never_to_another_server(house: Home, upstairs: Attic) -> None:
    for assistant in young(house):
        if release.numbers(assistant.version) < KNOWS_RECONFIGURE:
            continue
        entry = entry_of(assistant, upstairs)
        form = forms.opened(assistant, entry_id=entry["entry_id"])
        assert form["step_id"] == "reconfigure"
        answers = {"host": PI_NAME, "port": PORT, "token": "", "ssl": False, "verify_ssl": True}
        done = forms.answered(assistant, form, answers)
        assert "another_server" in (done.get("reason"), (done.get("errors") or {}).get("base"))
        form = forms.opened(assistant, entry_id=entry["entry_id"])
        answers |= {"host": upstairs.address, "port": upstairs.port, "token": upstairs.token}
        done = forms.answered(assistant, form, answers)
        assert (done["type"], done["reason"]) == ("abort", "reconfigure_successful")
        shows(assistant, upstairs)


def test_an_entry_that_is_removed_takes_everything_along_and_comes_back(house: Home, upstairs: Attic) -> None:
    for assistant in young(house):
        ids = {meter["id"] for meter in meters(upstairs)}
        before = of_attic(assistant, upstairs)
        forms.remove(assistant, entry_of(assistant, upstairs))
        assert not of_attic(assistant, upstairs) and not ids & forms.devices(assistant).keys()
        entry = forms.add(assistant, host=upstairs.address, port=upstairs.port, token=upstairs.token)
        shows(assistant, upstairs)
        assert of_attic(assistant, upstairs) == before
        forms.remove(assistant, entry)


@contextmanager
def announced(address: str, **servers: tuple[int, str]) -> Iterator[None]:
    """Servers by name, each with port and id, one after another."""
    kind = "_iskra-server._tcp.local."
    with Zeroconf(interfaces=[address], ip_version=IPVersion.V4Only) as zeroconf:
        for name, (port, server_id) in servers.items():
            zeroconf.register_service(
                ServiceInfo(
                    kind,
                    f"{name}.{kind}",
                    port=port,
                    parsed_addresses=[address],
                    properties={"id": server_id},
                    server=f"{name}.local.",
                )
            )
        yield


@contextmanager
def unknown_authority(address: str) -> Iterator[None]:
    """Some web server with a certificate that nobody knows."""
    server = HTTPServer((address, TLS_PORT), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(address).configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(EVERY_S,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def meters(upstairs: Attic) -> list[dict[str, Any]]:
    answer = upstairs.running.get("/api/v1/meters").json(parse_float=Decimal, parse_int=Decimal)
    listed: list[dict[str, Any]] = answer["meters"] if isinstance(answer, dict) else answer
    return listed


def sent(upstairs: Attic) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each meter with each of its registers that is a number."""
    return [
        (meter, register)
        for meter in meters(upstairs)
        for register in meter["registers"]
        if isinstance(register.get("value"), Decimal)
    ]


def numbers(upstairs: Attic) -> dict[str, Decimal]:
    """The answer, by the unique id of the entities and in their units."""
    return {
        unique_id(meter, register): register["value"].scaleb(SCALES.get(register.get("unit") or "", 0))
        for meter, register in sent(upstairs)
    }


def unique_id(meter: dict[str, Any], register: dict[str, Any]) -> str:
    return f"{slug(meter)}_{register['name']}"


def slug(meter: dict[str, Any]) -> str:
    text: str = meter["id"]
    return text.lower().replace(" ", "")


def of_attic(assistant: HomeAssistant, upstairs: Attic) -> dict[str, str]:
    """Entity ids of its meters, by unique id."""
    beginnings = tuple(map(slug, meters(upstairs)))
    return {unique: entity for unique, entity in assistant.entities(BY_OURS).items() if unique.startswith(beginnings)}


def shows(assistant: HomeAssistant, upstairs: Attic) -> None:
    """Wait until it shows what the display of the electricity meter shows, and every number of the answer."""
    total = Decimal(upstairs.meter.import_kwh)

    def is_there() -> bool:
        return total in (now := numbers(upstairs)).values() and now.items() <= shown(assistant, BY_OURS).items()

    try:
        until(is_there, SOON_S, EVERY_S)
    except AssertionError:
        raise AssertionError(f"{assistant}: {shown(assistant, BY_OURS)} lacks {numbers(upstairs)}") from None


def has_nothing(assistant: HomeAssistant, upstairs: Attic) -> bool:
    states = shown(assistant, BY_OURS)
    return {states[unique] for unique in numbers(upstairs)} == {UNAVAILABLE}


def entry_of(assistant: HomeAssistant, upstairs: Attic) -> Entry:
    entities = of_attic(assistant, upstairs).values()
    registry = assistant.ask("config/entity_registry/list")
    (entry_id,) = {one["config_entry_id"] for one in registry if one["entity_id"] in entities}
    (entry,) = (one for one in forms.entries(assistant) if one["entry_id"] == entry_id)
    return entry
