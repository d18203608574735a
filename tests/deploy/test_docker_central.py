"""The compose file of a central for real: started as docs/fleet.md says, fed by a reader, killed in every part, and
operated as docs/fleet-operations.md says: each command in it is run as it stands there.

All of it lies in the network of one container, which leads nowhere; this thread steps into that network.
"""

import json
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from deploy.engine import BASE_IMAGE, ROOT, Engine, Project
from documented import documented
from fleet.field import PATIENCE_S, FieldReader, arrive, rows
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from namespaces import inside
from running import fetch, until

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
READER, SECURED = "house-7", "house-8"
ALL = ("admin", "prepare", "collector-1", "collector-2", "server", "accounts", "broker", "database", "roles")
WITHIN_S = 120
QUARTERS = 12


class Central(Project):
    def up(self, *options: str) -> None:
        try:
            self.compose("up", "--detach", *options)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.compose('logs')}") from None

    def has_all_of(self, reader: FieldReader) -> None:
        until(lambda: not reader.waiting, PATIENCE_S)
        with closing(until(opened, PATIENCE_S)) as store:
            arrive(store, reader)

    def shell(self, command: str, *, check: bool = True, **variables: str) -> str:
        """What a documented command prints, run in the folder of the compose file."""
        done = subprocess.run(
            ["sh", "-euc", command],
            cwd=self.folder,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    folder: Path
    variables: dict[str, str]


def opened() -> Store | None:
    """A database that was killed takes no connection while it recovers."""
    try:
        return Store(f"postgresql://iskra_owner:{OWNER}@127.0.0.1/iskra")
    except StoreError:
        return None


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
PORTS = {"collector-1": 8081, "collector-2": 8082}
WATCHING = ("server", *PORTS)
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
    made = configured(engine, image, folder)
    try:
        made.up()
        with inside(made.state("wire")["Pid"]):
            until(answers, WITHIN_S)
            yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "1")


def configured(engine: Engine, image: str, folder: Path, project: str = "iskra-centre") -> Central:
    """In a copy of deploy/central; another project is another machine, with a network of its own."""
    shares = (SHARES.format(service=name) + (WATCHED if name in WATCHING else "") for name in ALL)
    override = "".join((OVERRIDE, *shares))
    for name, port in PORTS.items():
        override = override.replace(f"  {name}:\n", f"  {name}:\n    environment: {{IES_COLLECT_HTTP_PORT: {port}}}\n")
    (folder / "override.yml").write_text(override)
    files = (folder / "docker-compose.yml", folder / "override.yml")
    # the tests may have less
    open_files = min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    environ = {"ISKRA_IMAGE": image, "OPEN_FILES": str(open_files), "COMPOSE_PROJECT_NAME": project}
    made = Central(engine, *files, environ=environ)
    names = ":".join(file.name for file in files)
    made.folder, made.variables = (
        folder,
        {
            **engine.environment,
            **environ,
            "COMPOSE_FILE": names,
            "PATH": f"{Path(sys.executable).parent}:{engine.environment['PATH']}",
        },
    )
    return made


def answers() -> bool:
    try:
        return fetch(f"{URL}/healthz").is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def reader(central: Central, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldReader]:
    """With an account made as the documentation says."""
    (enroll,) = documented("docker compose run --rm admin fleet enroll", "fleet.md")
    enrolment = json.loads(central.shell(f"{enroll} --json"))
    central.shell(enrolment["broker"])
    folder, url = tmp_path_factory.mktemp("reader"), f"mqtt://{READER}:{enrolment['password']}@127.0.0.1"
    made = FieldReader(folder, READER, url, meters=3)
    made.start()
    yield made
    made.close()


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
    watched = ("server", "database", *PORTS)
    until(lambda: {central.state(each)["Health"]["Status"] for each in watched} == {"healthy"}, WITHIN_S)
    assert "Health" not in central.state("broker")
    for port in PORTS.values():
        assert "iskra_collector_broker_up 1" in fetch(f"http://127.0.0.1:{port}/metrics").text.splitlines()


@pytest.mark.slow
def test_the_administrator_sees_the_state_and_assigns_groups(central: Central, reader: FieldReader) -> None:
    reader.live_through(1)
    central.has_all_of(reader)
    (central.folder / "tenants.csv").write_text(f"meter,building\n{reader.meters[0]},7\n")
    (groups,) = documented("docker compose run --rm admin groups", "fleet.md")
    assert "1 meters are assigned" in central.shell(groups)
    for command in documented("docker compose run --rm admin fleet status"):
        shown = central.shell(command, check=False)
        assert re.search(r"^Readers +1 ", shown, re.MULTILINE), shown
    assert len(documented("docker compose run --rm prepare")) == 1
    central.shell(documented("docker compose run --rm prepare")[0])


@pytest.mark.slow
def test_a_backup_brings_everything_back_as_documented(central: Central, reader: FieldReader) -> None:
    reader.live_through(QUARTERS)
    central.has_all_of(reader)
    for command in documented("docker compose exec", section="Backup"):
        central.shell(command)
    assert (central.folder / "base.tar.gz").stat().st_size > 1_000_000
    assert READER in (central.folder / "passwords").read_text()
    # after the backup, so that only the reader has it
    reader.live_through(QUARTERS)
    central.has_all_of(reader)
    for command in documented("docker compose", section="Restore"):
        central.shell(command)
    until(answers, WITHIN_S)
    (resend,) = documented("iskra-server uplink resend", section="Backup")
    history = f"sqlite:///{reader.store_file}"
    central.shell(resend.replace("2026-11-27", "2026-10-01"), IES_DATABASE_URL=history)
    central.has_all_of(reader)
    reader.live_through(1)
    central.has_all_of(reader)


@pytest.mark.slow
def test_readers_come_with_tls_as_documented(central: Central, tmp_path: Path) -> None:
    commands = documented("", section="TLS for readers")
    lines = [line for line in commands if re.match(r"mkdir|openssl|sudo|docker compose -f", line)]
    assert len(lines) == 6
    for line in lines:
        command = line.replace("central.example", "localhost").replace("sudo ", "")
        central.shell(command.replace("docker-compose.tls.yml", "docker-compose.tls.yml -f override.yml"))
    enroll = f"docker compose run --rm admin fleet enroll {SECURED} --broker mqtts://localhost:8883 --json"
    enrolment = json.loads(central.shell(f"{enroll} --ca-cert /data/tls/ca.pem"))
    central.shell(enrolment["broker"])
    assert 'ca_file = "/etc/iskra-server/ca.pem"' in enrolment["section"]
    url = f"mqtts://{SECURED}:{enrolment['password']}@localhost:8883"
    reader = FieldReader(tmp_path, SECURED, url, meters=1, ca_file=str(central.folder / "tls/ca.pem"))
    reader.start()
    try:
        reader.live_through(1)
        until(lambda: not reader.waiting, PATIENCE_S)
    finally:
        reader.close()


@pytest.mark.slow
def test_it_moves_to_another_machine_as_documented(
    central: Central, reader: FieldReader, engine: Engine, image: str, tmp_path: Path
) -> None:
    """The last one: afterwards the old central server is gone."""

    def has_all_rows() -> None:
        """Another reader had a meter, too."""
        until(lambda: not reader.waiting, PATIENCE_S)
        with closing(until(opened, PATIENCE_S)) as store:
            assert rows(store, reader.meters) == reader.rows

    reader.live_through(QUARTERS)
    has_all_rows()
    # it is started again in the network of the other machine
    reader.stop()
    commands = documented("docker compose", section="Moving to another machine")
    at_new = next(place for place, line in enumerate(commands) if "pg_restore" in line)
    folder = tmp_path / "central"
    shutil.copytree(central.folder, folder)
    new = configured(engine, image, folder, "iskra-new")
    try:
        new.shell("docker compose up --detach broker database")
        until(lambda: new.state("database")["Health"]["Status"] == "healthy", WITHIN_S)
        for command in commands[:at_new]:
            central.shell(command)
        reader.live_through(QUARTERS)
        for name in ("iskra.dump", "passwords"):
            shutil.copy(central.folder / name, folder)
        for command in commands[at_new:]:
            new.shell(command)
        with inside(new.state("wire")["Pid"]):
            until(answers, WITHIN_S)
            reader.start()
            has_all_rows()
    finally:
        new.compose("down", "--volumes", "--timeout", "1")
