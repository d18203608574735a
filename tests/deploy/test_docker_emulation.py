"""Ports below 1024 in the network of the host: deploy/docker-compose.emulation.yml, and the app of Home Assistant."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.engine import ROOT, Engine, Project
from deploy.supervised import Supervised
from running import fetch, free_port, until

pytestmark = pytest.mark.slow

SERVICE = "iskra-server"
FIRST_UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
NET_BIND_SERVICE = 1 << 10
OVERRIDE = """
services:
  iskra-server:
    network_mode: host
    ports: !reset []
    command: [serve, "simulator:MT175"]
    environment:
      IES_SERVER_ANNOUNCE: "false"
      IES_SERVER_PORT: "{page}"
      IES_ECOTRACKER_ENABLED: "true"
      IES_ECOTRACKER_PORT: "{port}"
    healthcheck:
      interval: 1s
"""

# as docker-compose.yml alone, in a network of the engine's own
BRIDGE = """
services:
  iskra-server:
    ports: !override ["127.0.0.1:{page}:8080", "127.0.0.1:{port}:80"]
    command: [serve, "simulator:MT175"]
    environment:
      IES_ECOTRACKER_ENABLED: "true"
    networks: {{default: {{ipv4_address: 172.31.98.3}}}}
networks:
  default: {{ipam: {{config: [{{subnet: 172.31.98.0/24}}]}}}}
"""


class Household(Project):
    def __init__(self, engine: Engine, image: str, folder: Path, *files: Path, changes: str = OVERRIDE) -> None:
        self.page, self.port = free_port(), free_port_below_1024()
        override = folder / f"override-{self.port}.yml"
        override.write_text(changes.format(page=self.page, port=self.port))
        super().__init__(engine, ROOT / "docker-compose.yml", *files, override, environ={"ISKRA_IMAGE": image})

    def sentence(self) -> str:
        return str(self._output().get("sentence", ""))

    def notices(self) -> set[str]:
        return {notice["fault"] for notice in self._output().get("notices", ())}

    def _output(self) -> dict[str, Any]:
        """The only one; empty before it has started."""
        try:
            outputs = fetch(f"http://127.0.0.1:{self.page}/api/v1/status").json()["outputs"]
        except httpx.TransportError:
            return {}
        return dict(outputs[0]) if outputs else {}


def answers(port: int) -> bool:
    """Whether an EcoTracker there shows a power."""
    try:
        answer = fetch(f"http://127.0.0.1:{port}/v1/json")
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and isinstance(answer.json()["power"], int)


def free_port_below_1024() -> int:
    for port in range(1023, 512, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    pytest.skip("every port below 1024 is taken")


@pytest.fixture(scope="module")
def household(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    folder = tmp_path_factory.mktemp("household")
    household = Household(engine, image, folder, ROOT / "deploy" / "docker-compose.emulation.yml")
    household.compose("up", "--detach", "--wait", "--wait-timeout", "180")
    yield household
    household.compose("down", "--volumes", "--timeout", "5")


def test_a_battery_is_answered_at_a_port_below_1024(household: Household) -> None:
    until(lambda: answers(household.port))
    assert household.sentence() == "" and "bridge_only" not in household.notices()


def test_the_container_is_healthy(household: Household) -> None:
    assert household.state(SERVICE)["Health"]["Status"] == "healthy"


def test_the_server_is_no_root_and_has_this_one_privilege(household: Household) -> None:
    lines = Path(f"/proc/{household.state(SERVICE)['Pid']}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    assert set(status["Uid"].split()) == {"10001"} and set(status["Gid"].split()) == {"20"}
    assert not status["Groups"].split()
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {NET_BIND_SERVICE}
    assert status["NoNewPrivs"] == "1"


def test_commands_work_as_its_user_and_its_data_is_kept(household: Household) -> None:
    as_user = ("exec", "--no-TTY", "--user", "10001:20", SERVICE)
    assert "MT175" in household.compose(*as_user, "iskra-server", "doctor", "simulator:MT175")
    # it has written there, and nobody else
    assert household.compose(*as_user, "find", "/data", "-type", "f", "-user", "10001")
    assert household.compose(*as_user, "find", "/data", "-not", "-user", "10001") == ""


def test_it_stops_promptly(household: Household) -> None:
    household.compose("stop", "--timeout", "10")
    # it is 1 after 4.2 s, and 137 after 10
    assert household.state(SERVICE)["ExitCode"] == 0


def test_without_it_the_server_says_what_is_missing(
    engine: Engine, image: str, household: Household, tmp_path: Path
) -> None:
    if int(FIRST_UNPRIVILEGED.read_text()) < 1024:
        pytest.skip("on this machine every program may open ports below 1024")
    household.compose("down", "--timeout", "5")
    plain = Household(engine, image, tmp_path)
    plain.compose("up", "--detach")
    try:
        until(lambda: "deploy/docker-compose.emulation.yml" in plain.sentence())
        assert not answers(plain.port)
        # the page works all the same
        assert plain.sentence().startswith(f"This container may not open TCP port {plain.port}: ")
    finally:
        plain.compose("down", "--volumes", "--timeout", "5")


def test_in_a_network_of_containers_it_says_that_nobody_finds_it_until_somebody_asks(
    engine: Engine, image: str, tmp_path: Path
) -> None:
    bridged = Household(engine, image, tmp_path, changes=BRIDGE)
    bridged.compose("up", "--detach")
    try:
        until(lambda: "bridge_only" in bridged.notices())
        # at an address that was entered by hand
        until(lambda: answers(bridged.port))
        assert "bridge_only" not in bridged.notices()
    finally:
        bridged.compose("down", "--volumes", "--timeout", "5")


def test_the_app_with_host_network_is_an_ecotracker_by_one_option(engine: Engine, image: str, tmp_path: Path) -> None:
    port, apps = free_port_below_1024(), ROOT / "deploy" / "homeassistant"
    # both apps are one image
    engine.docker("build", "--build-arg", f"SERVER_IMAGE={image}", "--tag", f"{image}-app", apps / "iskra_server")
    app = Supervised(engine, f"{image}-app", apps / "iskra_server_host_network", tmp_path)
    environ = {"IES_SERVER_INGRESS_PORT": str(free_port()), "IES_ECOTRACKER_PORT": str(port)}
    app.start(environ, {"sources": [{"url": "simulator:MT175"}], "ecotracker": True, "port": free_port()})
    try:
        until(lambda: answers(port))
    finally:
        app.kill()
