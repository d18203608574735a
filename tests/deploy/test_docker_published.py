"""`docker compose up -d` in an empty folder with nothing but docker-compose.yml, and a registry that has the image.

Then as years go by: a newer version, and back. All by the commands that the docs name, at the port that they name.
"""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

import iskra_server
from deploy.engine import ROOT, Engine, Project
from deploy.head import Head
from deploy.registry import registry
from iskra_server.history.store.schema import VERSIONS
from running import fetch, until

pytestmark = pytest.mark.slow

SERVICE = "iskra-server"
PORT = 18080
HISTORY = "/data/iskra.sqlite"
SCHEMA = VERSIONS[-1]
NEXT = "9999"
COUNT = f"""
import sqlite3
history = sqlite3.connect("file:{HISTORY}?mode=ro", uri=True)
print(history.execute("SELECT coalesce(sum(telegrams), 0) FROM points").fetchone()[0])
"""
# the image of a version with another schema
NEWER = f"""
FROM {{image}}
USER root
WORKDIR /opt/iskra-server/lib/python3.13/site-packages/iskra_server
COPY v{NEXT}_next.py history/store/migrations/versions/
RUN sed -i 's/^VERSIONS = (.*"{SCHEMA}"/&, "{NEXT}"/' history/store/schema.py \\
    && sed -i 's/^__version__ = .*/__version__ = "9.9.9"/' __init__.py \\
    && rm -r __pycache__ history/store/__pycache__
WORKDIR /data
USER 10001:20
"""
MIGRATION = f"""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{NEXT}", "{SCHEMA}"


def upgrade() -> None:
    op.add_column("meter", sa.Column("note", sa.Text, nullable=False, server_default="none"))
"""


class Household(Project):
    """A folder with docker-compose.yml alone, and what its owner types there."""

    def __init__(self, engine: Engine, folder: Path, image: str) -> None:
        shutil.copy(ROOT / "docker-compose.yml", folder)
        super().__init__(engine, folder / "docker-compose.yml", environ={"ISKRA_IMAGE": image})

    def version(self) -> str:
        return self.compose("exec", "--no-TTY", SERVICE, "iskra-server", "--version").split()[1]

    def telegrams(self) -> int:
        """How many the history holds."""
        return int(self.compose("exec", "--no-TTY", SERVICE, "python", "-c", COUNT))

    def reads(self, head: Head, energy: int) -> bool:
        """Send a telegram, and compare what HTTP answers, digit by digit."""
        head.send(energy)
        with suppress(httpx.TransportError):
            answer = fetch(f"http://127.0.0.1:{PORT}/api/electricity/cumulated")
            value = json.loads(answer.text, parse_float=Decimal).get("value")
            return answer.is_success and str(value) == str(Decimal(energy).scaleb(-4))
        return False

    def history(self) -> str:
        """Why history is not written; "" where it is."""
        return str(fetch(f"http://127.0.0.1:{PORT}/api/v1/status").json()["history"])


@pytest.fixture(scope="module")
def published(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of an image in a registry, as the one of today, 9.9.9 and nothing else; this machine has neither."""
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", PORT)):
            pytest.skip(f"port {PORT} of this machine is taken")
    folder = tmp_path_factory.mktemp("registry")
    with registry(folder) as address:
        name = f"{address}/iskra/iskra-electricity-server"
        (folder / "Dockerfile").write_text(NEWER.format(image=image))
        (folder / f"v{NEXT}_next.py").write_text(MIGRATION)
        engine.docker("build", "--network", "none", "--tag", f"{name}:9.9.9", folder)
        engine.docker("tag", image, f"{name}:{iskra_server.__version__}")
        for tag in (iskra_server.__version__, "9.9.9"):
            engine.docker("push", f"{name}:{tag}")
        publish(engine, name, iskra_server.__version__)
        engine.docker("rmi", f"{name}:{iskra_server.__version__}", f"{name}:9.9.9")
        yield name


def publish(engine: Engine, name: str, version: str) -> None:
    """As `latest`, which this machine then does not have."""
    engine.docker("pull", f"{name}:{version}")
    engine.docker("tag", f"{name}:{version}", f"{name}:latest")
    engine.docker("push", f"{name}:latest")
    engine.docker("rmi", f"{name}:latest")


@pytest.fixture(scope="module")
def household(
    engine: Engine, published: str, head: Head, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Household]:
    del head
    folder = tmp_path_factory.mktemp("household")
    household = Household(engine, folder, f"{published}:latest")
    assert [path.name for path in folder.iterdir()] == ["docker-compose.yml"]
    yield household
    household.compose("down", "--volumes", "--timeout", "5")


def test_the_file_alone_pulls_starts_and_serves_the_exact_value(household: Household, head: Head) -> None:
    household.compose("pull")
    household.compose("up", "--detach")
    until(lambda: household.reads(head, 123456789), 60)
    assert household.version() == iskra_server.__version__


def test_pull_and_up_bring_a_newer_version_and_history_stays(
    engine: Engine, household: Household, published: str, head: Head
) -> None:
    publish(engine, published, "9.9.9")
    household.compose("pull")
    household.compose("up", "--detach")
    until(lambda: household.reads(head, 123456790), 60)
    assert household.version() == "9.9.9"
    # the older one wrote what it had when it was stopped
    assert household.telegrams() > 0
    assert household.history() == ""
    listing = household.compose("exec", "--no-TTY", SERVICE, "ls", "/data").split()
    assert f"iskra.sqlite.schema-{SCHEMA}" in listing


def test_an_older_version_refuses_the_history_names_the_copy_and_reads_on(household: Household, head: Head) -> None:
    before = household.telegrams()
    household.environ["ISKRA_IMAGE"] = household.environ["ISKRA_IMAGE"].replace("latest", iskra_server.__version__)
    household.compose("up", "--detach")
    until(lambda: household.reads(head, 123456791), 60)
    sentence = household.history()
    assert f"was written by a newer iskra-server (schema {NEXT}, this one knows {SCHEMA})" in sentence
    assert f"iskra-server restore {HISTORY}.schema-{SCHEMA}." in sentence
    assert "nothing is lost" in sentence
    assert household.telegrams() >= before


def test_the_way_back_is_the_copy(household: Household, head: Head) -> None:
    household.compose("stop")
    household.compose("run", "--rm", SERVICE, "restore", f"{HISTORY}.schema-{SCHEMA}")
    household.compose("up", "--detach")
    until(lambda: household.reads(head, 123456792), 60)
    until(lambda: household.history() == "")
    assert household.telegrams() > 0


def test_in_a_checkout_with_nothing_published_up_builds(
    engine: Engine, image: str, published: str, tmp_path: Path
) -> None:
    del image
    override = tmp_path / "override.yml"
    override.write_text("services: {iskra-server: {build: {network: host}}}\n")
    name = f"{published}-never-published:latest"
    checkout = Project(engine, "docker-compose.yml", override, environ={"ISKRA_IMAGE": name})
    checkout.compose("up", "--no-start")
    assert engine.docker("images", "--quiet", name)
    checkout.compose("down", "--volumes")
