"""The server as an app of a real Home Assistant, which loads `hassio` at a stand-in for its Supervisor.

Its ingress shows the page, and it offers the integration. The Supervisor has the address that it has in every system.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from homeassistant import forms, network, release
from homeassistant.instance import PORT, HomeAssistant
from running import Server, fetch, serving, until
from supervisor import SupervisorStandIn, Target, supervisor
from web.browser.conftest import ARGUMENTS, CHROMIUM, watched

pytestmark = pytest.mark.slow
SUPERVISOR, INGRESS_PORT, SERVER_PORT = "172.30.32.2", 8099, 18080
TOKEN = "0123456789abcdef"
METER, APP_HOST = "simulator:MT175", "local-iskra-server"


class System(NamedTuple):
    assistant: HomeAssistant
    box: SupervisorStandIn
    server: Server
    # of Home Assistant
    address: str

    @property
    def page_url(self) -> str:
        return f"{self.address}{self.box.ingress_path}"

    def get(self, path: str) -> httpx.Response:
        return fetch(f"{self.page_url}/{path}", cookies=self.box.cookies)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One that compresses streams in ingress; the newest has stopped that."""
    if reason := network.missing():
        pytest.skip(reason)
    chosen = release.wanted()[-1]
    if reason := release.missing(chosen):
        pytest.skip(reason)
    if chosen.distribution:
        pytest.skip(f"Home Assistant {chosen.version} loads voice assistants for hassio, which are not installed here")
    release.install(chosen)
    folder = tmp_path_factory.mktemp("system")
    with network.network(folder) as net:
        net.pi.run(*f"ip address add {SUPERVISOR}/32 dev lo".split())
        net.hosts.write_text(f"{net.hosts.read_text()}{net.pi.address} {APP_HOST}\n")
        machine = net.machine(chosen.root)
        machine.run(*f"ip route add {SUPERVISOR}/32 via {net.pi.address}".split())
        assistant = HomeAssistant(release=chosen, machine=machine, folder=folder / "assistant")
        assistant.configure("logger:\n  default: warning\n  logs:\n    custom_components.iskra_server: debug\n")
        with supervisor(SUPERVISOR) as box:
            box.app = Target("127.0.0.1", INGRESS_PORT, SUPERVISOR)
            history = {"IES_HISTORY_ENABLED": "true", "IES_HISTORY_FLUSH_S": "1", "IES_DATA_DIR": str(folder / "data")}
            # without a contract the question for its cost is answered with 404
            history["IES_CONTRACTS_ENERGY_PRICE"] = "0.3265"
            environ = {
                "IES_SERVER_INGRESS_PORT": str(INGRESS_PORT),
                "IES_SERVER_TOKEN": TOKEN,
                **box.environ,
                **history,
            }
            headers = {"authorization": f"Bearer {TOKEN}"}
            # in a container of its own, which has the name that the Supervisor gives it
            named = ("unshare", "--uts", "sh", "-c", f'hostname {APP_HOST} && exec "$@"', "sh")
            with serving("serve", METER, environ=environ, headers=headers, port=SERVER_PORT, within=named) as server:
                until(lambda: has_history(server))
                try:
                    with pytest.MonkeyPatch.context() as patch:
                        for name, value in box.core_environ.items():
                            patch.setenv(name, value)
                        assistant.start()
                    yield System(assistant, box, server, f"http://{machine.address}:{PORT}")
                finally:
                    assistant.end()


def has_history(server: Server) -> bool:
    """The page asks for today's: a meter is unknown there until its first readings are written."""
    meters = server.get("/api/v1/meters").json()["meters"]
    return bool(meters) and server.get(f"/api/v1/meters/{meters[0]['id'].replace(' ', '')}/energy").status_code == 200


def test_the_page_and_its_live_stream_run_through_ingress(system: System) -> None:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium (apt install chromium-headless-shell)")
    place = httpx.URL(system.address)
    cookie = {"name": "ingress_session", "value": system.box.session, "domain": place.host, "path": "/",
              "expires": time.time() + 3600, "httpOnly": False, "secure": False, "sameSite": "Strict"}  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with watched(browser, system.page_url) as opened:
            page = opened("#/now", viewport={"width": 390, "height": 844}, storage_state={"cookies": [cookie]})
            number = page.locator(".big .number")
            expect(number).not_to_be_empty()
            ages = page.locator(".pulse")
            expect(ages).to_contain_text("live")
            shown = number.inner_text(), page.locator(".digits").inner_text()
            until(lambda: (number.inner_text(), page.locator(".digits").inner_text()) != shown)
            page.get_by_role("link", name="API").click()
            expect(page.locator("h1")).to_have_text("HTTP API", timeout=60_000)


def test_answers_and_errors_arrive_as_the_server_sent_them(system: System) -> None:
    assert system.get("api/v1/meters").json()["meters"][0]["simulated"] is True
    missing = system.get("nowhere")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "/nowhere does not exist. See /docs for all routes.",
    )
    brief = system.get("api/v1/live?brief=yes")
    assert brief.headers["content-type"] == "text/event-stream" and "event: reading" in brief.text
    assert ("X-Ingress-Path", system.box.ingress_path) in system.box.passed


def test_nobody_but_the_supervisor_reaches_the_port(system: System) -> None:
    assert fetch(f"http://127.0.0.1:{INGRESS_PORT}/healthz").status_code == 403
    assert fetch(f"{system.page_url}/").status_code == 401


def test_an_app_may_ask_home_assistant_by_its_supervisor(system: System) -> None:
    token = system.assistant.ask("auth/long_lived_access_token", client_name="supervisor", lifespan=1)
    system.box.home_assistant = system.address, token
    answers = [
        fetch(f"{system.box.url}/core/api/config", headers={"authorization": f"Bearer {bearer}"})
        for bearer in (system.box.token, "another")
    ]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[0].json()["location_name"] == "Home"


def test_home_assistant_offers_the_integration_with_all_that_it_needs(system: System) -> None:
    (flow,) = until(lambda: forms.waiting(system.assistant, "hassio"), every_s=0.2)
    # the token came along: there is nothing to type
    form = forms.shown(system.assistant, flow)
    assert not forms.fields(form)
    done = forms.answered(system.assistant, form, {})
    assert done["type"] == "create_entry"
    states = until(lambda: [state for name, state in system.assistant.states().items() if name.endswith("_power")])
    assert float(states[0]["state"]) != 0


def test_an_app_with_another_address_keeps_its_entry(system: System) -> None:
    tell(system, {**system.box.discovery[0]["config"], "host": SUPERVISOR})
    moved = f"http://{SUPERVISOR}:{SERVER_PORT}"
    until(lambda: moved in {device["configuration_url"] for device in forms.devices(system.assistant).values()})
    (entry,) = forms.entries(system.assistant)
    assert entry["state"] == "loaded"


def test_an_app_without_its_token_is_asked_for_it(system: System) -> None:
    tell(system, {"host": APP_HOST, "port": SERVER_PORT})
    (flow,) = until(lambda: forms.waiting(system.assistant, "hassio"), every_s=0.2)
    form = forms.shown(system.assistant, flow)
    assert forms.fields(form) == ["token"]
    form = forms.answered(system.assistant, form, {"token": "wrong"})
    assert form["errors"] == {"base": "invalid_auth"}
    # it turns out to be the one that is set up
    done = forms.answered(system.assistant, form, {"token": TOKEN})
    assert (done["type"], done["reason"]) == ("abort", "already_configured")


def test_an_app_that_does_not_answer_is_not_offered(system: System) -> None:
    tell(system, {"host": APP_HOST, "port": 1})
    until(lambda: f"No ISKRA Electricity Server at {APP_HOST}:1" in system.assistant.log())
    assert not forms.waiting(system.assistant, "hassio")
    assert len(forms.entries(system.assistant)) == 1


def tell(system: System, config: dict[str, Any]) -> None:
    """What the Supervisor tells Home Assistant when an app announces itself anew."""
    system.box.discovery.append({**system.box.discovery[0], "config": config})
    system.assistant.post(f"/api/hassio_push/discovery/{system.box.discovery[0]['uuid']}", {})
