"""The server as an app of Home Assistant, at a stand-in for the Supervisor, with a real broker."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from msgspec import structs

import telegrams
from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import Config, MqttConfig, ServerConfig
from iskra_server.config.output_sections import OutputsConfig
from iskra_server.homeassistant.supervisor import supervisor_of
from iskra_server.runtime.home_assistant_app import HomeAssistantApp
from outputs.mqtt.broker import Mosquitto, Subscriber
from outputs.mqtt.published import SERVER, STATE
from running import Head, Server, fetch, free_port, serving, until
from supervisor import SupervisorStandIn, Target, supervisor

TOKEN = "0123456789abcdef"
PASSWORD = "broker-password-1"
# loopback addresses that stand for the Supervisor and for somebody else
ADDRESS, STRANGER = "127.0.0.2", "127.0.0.3"


class App(NamedTuple):
    server: Server
    box: SupervisorStandIn
    head: Head
    ingress_port: int

    def outputs(self) -> list[dict[str, Any]]:
        outputs: list[dict[str, Any]] = self.server.get("/api/v1/status").json()["outputs"]
        return outputs

    def read_another(self) -> None:
        """A telegram, with a counter that has gone on."""
        sent = self.server.status()["facts"]["telegrams"]
        self.head.send(telegrams.telegram(telegrams.meter_entries(energy=1000 + sent), seconds=100 + sent))
        until(lambda: self.server.status()["facts"]["telegrams"] > sent)

    def ask_again(self) -> None:
        """It would ask by itself within a minute."""
        self.server.process.send_signal(signal.SIGHUP)

    def ask_by_ingress(self, path: str = "", **more: Any) -> httpx.Response:
        return fetch(self.box.page_url + path, cookies=self.box.cookies, **more)

    def ask_directly(self, path: str, source: str, **headers: str) -> httpx.Response:
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(transport=transport, timeout=60) as client:
            return client.get(f"http://127.0.0.1:{self.ingress_port}{path}", headers=headers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[App]:
    """With the options file, as the Supervisor writes it, and nothing else configured by the user but a token."""
    head, ingress_port = Head(folder / "head"), free_port()
    options = {"sources": [{"url": str(head.link), "name": "Haus"}], "token": TOKEN, "language": "de", "mqtt_url": None}
    (folder / "options.json").write_text(json.dumps(options))
    with supervisor() as box:
        box.app = Target("127.0.0.1", ingress_port, ADDRESS)
        environ = {
            **box.environ,
            "IES_CONFIG": str(folder / "options.json"),
            "IES_SERVER_INGRESS_PORT": str(ingress_port),
            "IES_SERVER_INGRESS_ADDRESS": ADDRESS,
        }
        with serving("serve", environ=environ, headers={"authorization": f"Bearer {TOKEN}"}) as server:
            until(lambda: server.status()["facts"]["is_open"])
            yield App(server, box, head, ingress_port)


def test_ingress_needs_no_token_and_the_normal_port_does(app: App) -> None:
    assert fetch(f"{app.server.url}/api/v1/status").status_code == 401
    assert app.ask_by_ingress("api/v1/status").json()["meters"][0]["facts"]["name"] == "Haus"
    page = app.ask_by_ingress()
    assert page.headers["content-security-policy"].endswith("frame-ancestors 'self'")
    assert f'data-address="http://{socket.gethostname()}:' in page.text and 'data-language="de"' in page.text
    # what came by ingress sets no cookie, and knows no sign-in
    assert "set-cookie" not in page.headers
    assert app.ask_by_ingress("login").status_code == 404


@pytest.mark.parametrize("host", ["homeassistant.local:8123", "ha.example.org", "172.30.33.5:8099", "supervisor"])
def test_ingress_takes_the_host_that_the_browser_of_the_user_sent(app: App, host: str) -> None:
    assert app.ask_by_ingress("api/v1/status", headers={"host": host}).status_code == 200


def test_anybody_else_at_the_ingress_port_gets_a_clear_answer_and_nothing_more(app: App) -> None:
    for path in ("/", "/api/v1/status", "/healthz", "/api/v1/live", "/nowhere"):
        # headers are no proof
        claims = {"x-forwarded-for": ADDRESS, "x-real-ip": ADDRESS, "forwarded": f"for={ADDRESS}"}
        answer = app.ask_directly(path, STRANGER, **claims, authorization=f"Bearer {TOKEN}")
        assert (answer.status_code, answer.json()["reason"]) == (403, "not_ingress")
        assert STRANGER in answer.json()["detail"] and answer.headers["connection"] == "close"
    assert app.ask_directly("/api/v1/status", ADDRESS).status_code == 200


def test_no_header_turns_the_normal_port_into_ingress(app: App) -> None:
    claims = {"x-ingress-path": app.box.ingress_path, "x-forwarded-for": ADDRESS, "x-hass-source": "core.ingress"}
    transport = httpx.HTTPTransport(local_address=ADDRESS)
    with httpx.Client(transport=transport, headers={**claims, "x-remote-user-id": "1"}, timeout=60) as client:
        assert client.get(f"{app.server.url}/api/v1/status", timeout=60).status_code == 401
        # nor does a signed-in client get a page with the address of the app's network
        signed_in = client.get(f"{app.server.url}/", headers={"authorization": f"Bearer {TOKEN}"})
        assert 'data-address=""' in signed_in.text


def test_the_old_address_of_ingress_is_gone_after_a_restart_of_the_app(app: App) -> None:
    before = app.box.page_url
    app.box.renew_ingress()
    assert fetch(before, cookies=app.box.cookies).status_code == 503
    assert app.ask_by_ingress().status_code == 200


def test_the_integration_is_offered_with_all_that_it_needs(app: App) -> None:
    until(lambda: app.box.discovery)
    message = app.box.discovery[-1]
    port = int(app.server.url.rpartition(":")[2])
    expected = {"host": socket.gethostname(), "port": port, "ssl": False, "token": TOKEN}
    assert (message["service"], message["config"]) == ("iskra_server", expected)
    # Home Assistant hears nothing again while nothing changes
    offers = sum(request[:2] == ("POST", "/discovery") for request in app.box.requests)
    asked = len(app.box.requests)
    app.ask_again()
    until(lambda: len(app.box.requests) > asked and "reloaded" in app.server.log)
    assert sum(request[:2] == ("POST", "/discovery") for request in app.box.requests) == offers


def test_the_broker_of_home_assistant_appears_changes_and_disappears_while_the_meter_is_read(
    app: App, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert app.outputs() == []
    brokers = [Mosquitto(tmp_path_factory.mktemp("broker")).start() for _ in range(2)]
    with ExitStack() as stack:
        heard = []
        for broker in brokers:
            stack.callback(broker.kill)
            service = {"host": "127.0.0.1", "port": broker.port, "ssl": False, "protocol": "3.1.1"}
            app.box.mqtt = {**service, "username": "addons", "password": PASSWORD}
            app.ask_again()
            heard.append(subscriber := stack.enter_context(Subscriber(broker.port)))
            until(lambda: [(output["name"], output["ok"]) for output in app.outputs()] == [("mqtt", True)])
            until(lambda: subscriber.now.get(SERVER) == b"online", every_s=0.05)
            app.read_another()
            subscriber.wait_for(STATE, 1)
        # the first broker was told
        until(lambda: heard[0].now[SERVER] == b"offline")
        app.box.mqtt = None
        app.ask_again()
        until(lambda: app.outputs() == [])
        until(lambda: heard[1].now[SERVER] == b"offline")
        assert app.server.status()["facts"]["is_open"]
        assert PASSWORD not in app.server.log and app.box.token not in app.server.log


def with_broker(url: str = "", *, use: bool = True) -> Config:
    mqtt = MqttConfig(url=Address(url), use_home_assistant=use, base_topic="house", language="de")
    return structs.replace(Config(), outputs=OutputsConfig(mqtt=mqtt))


class Asking:
    """The app of a configuration that may change, at a stand-in; `changes` counts calls."""

    def __init__(self, box: SupervisorStandIn) -> None:
        self.config = with_broker()
        self.changes: list[tuple[Secret, ...]] = []
        self.app = HomeAssistantApp(supervisor_of(box.environ), lambda: self.config, self.changed)

    async def changed(self, *old_secrets: Secret) -> None:
        self.changes.append(old_secrets)

    async def broker(self) -> str:
        """The one that is used after asking."""
        await self.app.ask()
        return self.app.with_broker(self.config).outputs.mqtt.url.reveal()


BROKER = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons", "password": PASSWORD}


def test_an_own_broker_wins_and_one_that_is_not_wanted_is_not_asked_for() -> None:
    async def main() -> None:
        with supervisor() as box:
            asking = Asking(box)
            box.mqtt = BROKER
            assert await asking.broker() == "mqtt://addons@core-mosquitto:1883"
            mqtt = asking.app.with_broker(asking.config).outputs.mqtt
            assert (mqtt.base_topic, mqtt.language, mqtt.password) == ("house", "de", Secret(PASSWORD))
            asking.config = with_broker("mqtt://pi")
            assert await asking.broker() == "mqtt://pi"
            asking.config = with_broker(use=False)
            asked = len(box.requests)
            assert await asking.broker() == ""
            assert len(box.requests) == asked
            # of the broker before, so that parts that are ending do not log them
            assert asking.changes == [(), (Secret(PASSWORD),)]

    asyncio.run(main())


def test_a_supervisor_that_is_away_or_refuses_changes_nothing_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        with supervisor() as box:
            asking = Asking(box)
            box.mqtt = BROKER
            broker = await asking.broker()
            for box.is_ready, box.services in ((False, {"mqtt"}), (True, set())):
                for _ in range(3):
                    assert await asking.broker() == broker
        for _ in range(3):
            assert await asking.broker() == broker

    asyncio.run(main())
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    expected = ("refuses /services/mqtt: 400, it is not ready.", "refuses /services/mqtt: 403; ", "cannot be asked for")
    assert [reason in text for reason, text in zip(expected, warnings, strict=True)] == [True, True, True]


def test_a_changed_token_is_offered_again_and_a_refused_offer_too() -> None:
    async def main() -> None:
        with supervisor() as box:
            asking = Asking(box)
            box.discoverable = set()
            await asking.app.ask()
            assert box.discovery == []
            box.discoverable = {"iskra_server"}
            await asking.app.ask()
            assert "token" not in box.discovery[-1]["config"]
            asking.config = structs.replace(Config(), server=ServerConfig(token=Secret(TOKEN), tls_cert="cert.pem"))
            await asking.app.ask()
            assert {name: box.discovery[-1]["config"][name] for name in ("token", "ssl")} == {
                "token": TOKEN,
                "ssl": True,
            }
            assert len({message["uuid"] for message in box.discovery}) == 1

    asyncio.run(main())


def test_a_broker_that_cannot_be_used_is_one_sentence(app: App) -> None:
    app.box.mqtt = {**BROKER, "username": ""}
    app.ask_again()
    until(lambda: "cannot be used: outputs.mqtt: a password needs its user" in app.server.log)
    assert app.outputs() == []


def test_only_an_app_imports_what_an_app_needs() -> None:
    names = "[name for name in sys.modules if 'homeassistant.supervisor' in name or 'home_assistant_app' in name]"
    program = f"import sys, iskra_server.runtime.server; print({names})"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert printed.stdout.strip() == "[]"
