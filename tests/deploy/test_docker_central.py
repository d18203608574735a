"""The compose file of a central for real: started as docs/fleet.md says, fed by a reader, killed in every part.

All of it lies in the network of one container, which leads nowhere; this thread steps into that network.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from deploy.engine import BASE_IMAGE, ROOT, Engine, Project
from fleet.field import PATIENCE_S, FieldReader, arrive
from iskra_server.history.store.store import Store
from namespaces import inside
from running import until

CENTRAL = ROOT / "deploy" / "central"
OWNER, TOKEN = "owner1", "token6-0123456789"
SECRETS = f"""\
OWNER_PASSWORD={OWNER}
COLLECTOR_PASSWORD=collector2
SERVER_PASSWORD=server3
BROKER_PASSWORD=broker4
SERVER_TOKEN={TOKEN}
"""
URL = "http://127.0.0.1:8080"
READER, PASSWORD = "house-7", "house5"
ALL = ("prepare", "collector-1", "collector-2", "server", "accounts", "broker", "database", "roles")
WITHIN_S = 60
QUARTERS = 12


class Central(Project):
    def up(self, *options: str) -> None:
        try:
            self.compose("up", "--detach", *options)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.compose('logs')}") from None

    def has_all_of(self, reader: FieldReader) -> None:
        # a database that was killed takes no connection while it recovers
        until(lambda: not reader.waiting, PATIENCE_S)
        with closing(Store(f"postgresql://iskra_owner:{OWNER}@127.0.0.1/iskra")) as store:
            arrive(store, reader)


# what differs from a real central: this engine has no bridge, so that everything shares the network of one container
OVERRIDE = f"""
services:
  wire:
    image: {BASE_IMAGE}
    command: ["sleep", "infinity"]
    network_mode: none
    extra_hosts: ["broker:127.0.0.1", "database:127.0.0.1"]
"""
SHARES = """
  {service}:
    network_mode: service:wire
    ports: !reset []
"""
# the test does not wait for a slow health check
WATCHED = """
    healthcheck:
      interval: 1s
"""


@pytest.fixture(scope="module")
def central(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Central]:
    engine.have_services()
    folder = tmp_path_factory.mktemp("central")
    shutil.copytree(CENTRAL, folder, dirs_exist_ok=True)
    (folder / ".env").write_text(SECRETS)
    shares = (SHARES.format(service=name) + (WATCHED if name == "server" else "") for name in ALL)
    (folder / "override.yml").write_text("".join((OVERRIDE, *shares)))
    files = (folder / "docker-compose.yml", folder / "override.yml")
    made = Central(engine, *files, environ={"ISKRA_IMAGE": image})
    try:
        made.up()
        with inside(made.state("wire")["Pid"]):
            until(answers, WITHIN_S)
            yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "1")


def answers() -> bool:
    try:
        return httpx.get(f"{URL}/healthz").is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def reader(central: Central, tmp_path: Path) -> Iterator[FieldReader]:
    """With an account made as the documentation says."""
    central.compose(*documented("docker compose exec"))
    made = FieldReader(tmp_path, READER, f"mqtt://{READER}:{PASSWORD}@127.0.0.1", meters=3)
    made.start()
    yield made
    made.close()


def documented(command: str) -> list[str]:
    """The arguments of a docker compose command in docs/fleet.md."""
    text = (ROOT / "docs" / "fleet.md").read_text().replace("\\\n", "")
    (line,) = re.findall(rf"^{command} .*$", text, re.MULTILINE)
    return shlex.split(line)[2:]


@pytest.mark.slow
def test_quarters_are_shown_and_none_is_lost_whatever_is_killed(central: Central, reader: FieldReader) -> None:
    reader.live_through(QUARTERS)
    central.has_all_of(reader)
    with httpx.Client(base_url=URL, headers={"authorization": f"Bearer {TOKEN}"}) as page:
        assert 'data-central="yes"' in page.get("/").text
        shown = page.get("/api/v1/fleet/meters").json()["meters"]
        assert sorted(each["id"] for each in shown) == reader.meters
        assert [each["name"] for each in page.get("/api/v1/fleet/readers").json()["readers"]] == [READER]
    for service in ("collector-1", "broker", "database", "collector-2"):
        central.kill(service)
        reader.live_through(QUARTERS)
    central.has_all_of(reader)


@pytest.mark.slow
def test_it_can_be_brought_up_again(central: Central, reader: FieldReader) -> None:
    central.up()
    for service in ("accounts", "prepare", "roles"):
        assert central.state(service)["ExitCode"] == 0
    reader.live_through(1)
    until(lambda: not reader.waiting, WITHIN_S)


@pytest.mark.slow
def test_no_container_is_unhealthy(central: Central) -> None:
    until(lambda: {central.state(each)["Health"]["Status"] for each in ("server", "database")} == {"healthy"}, WITHIN_S)
    for service in ("collector-1", "collector-2", "broker"):
        assert "Health" not in central.state(service)
