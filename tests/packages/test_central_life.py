"""A central server without Docker: the commands of docs/fleet-operations.md on a Debian of its own, and one reader."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deb.suites import SUITES
from fleet.field import PATIENCE_S, FieldReader, arrive
from iskra_server.history.store.store import Store
from namespaces import inside
from packages.machine import Machine, booted, skip_where_impossible
from packages.test_deb import packages
from packages.wheel import KNOWN, ROOT, build, copy_checkout
from running import until

pytestmark = pytest.mark.slow
SUITE = next(iter(SUITES))
PAGE = (ROOT / "docs" / "fleet-operations.md").read_text()
SECTION = PAGE.partition("\n## Without Docker\n")[2].partition("\n## ")[0]
TOKEN = "token6-0123456789"
READER = "house-7"


def documented_files() -> dict[str, str]:
    """Those of the table: their name and their content."""
    rows = re.findall(r"^\| `(/etc/[^`]+)` \| (.*) \|$", SECTION, re.MULTILINE)
    return {name: "\n".join(re.findall(r"`([^`]+)`", cells)) + "\n" for name, cells in rows}


def documented_commands() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    skip_where_impossible()
    folder = tmp_path_factory.mktemp("deb")
    checkout = copy_checkout(folder / "checkout")
    wheel = build(checkout, folder / "wheel", ["wheel"], environ=KNOWN)["wheel"]
    machine = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    options = ("--release", SUITE, "--architecture", machine.stdout.strip())
    return packages(wheel, folder, *options, script=ROOT / "release/build_deb.py")[0]


@pytest.fixture(scope="module")
def central(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Set up as documented; apt finds its packages in the archive already."""
    folder = tmp_path_factory.mktemp("central")
    with booted(SUITE, folder, more=",mosquitto,postgresql,procps,sudo", name=f"central-{SUITE}") as machine:
        machine.install(deb)
        units = machine.run("systemctl", "list-unit-files", "iskra-*", check=False)
        assert re.search(r"^iskra-collect@\.service +disabled", units, re.MULTILINE), units
        assert re.search(r"^iskra-prepare\.timer +disabled", units, re.MULTILINE), units
        for name, content in documented_files().items():
            place = machine.root / name.lstrip("/")
            place.write_text(content.replace("IES_SERVER_TOKEN=", f"IES_SERVER_TOKEN={TOKEN}"))
            place.chmod(0o600)
        script = "\n".join(line for line in documented_commands() if not line.startswith("sudo apt"))
        machine.run("sh", "-euxc", script)
        yield machine


def test_a_reader_reaches_it_and_the_tables_have_two_years_of_months(central: Machine, tmp_path: Path) -> None:
    enroll = f"iskra-server fleet enroll {READER} --broker mqtt://127.0.0.1 --passwords /etc/mosquitto/passwords --json"
    enrolment = json.loads(central.run(*shlex.split(enroll)))
    central.run("systemctl", "reload", "mosquitto")
    with inside(central.pid):
        reader = FieldReader(tmp_path, READER, f"mqtt://{READER}:{enrolment['password']}@127.0.0.1", meters=2)
        reader.start()
        try:
            reader.live_through(4)
            until(lambda: not reader.waiting, PATIENCE_S)
            with closing(Store("postgresql://iskra_owner:owner1@127.0.0.1/iskra")) as store:
                arrive(store, reader)
        finally:
            reader.close()
    assert central.run("systemctl", "is-active", "iskra-prepare.timer", "iskra-collect@1").split() == ["active"] * 2
    metrics = central.get("/metrics", 8081)
    assert "iskra_collector_broker_up 1" in metrics.splitlines()


def test_the_server_shows_it(central: Machine) -> None:
    ask = (
        "import json, urllib.request as u; r = u.Request('http://127.0.0.1:8080/api/v1/status', "
        f"headers={{'authorization': 'Bearer {TOKEN}'}}); print(u.urlopen(r).read().decode())"
    )

    def has_reader() -> bool:
        answer = central.run("python3", "-c", ask, check=False)
        return "Traceback" not in answer and (json.loads(answer)["central"]["facts"] or {}).get("readers") == 1

    # it counts once a minute
    until(has_reader, 2 * PATIENCE_S, every_s=0.5)


def test_a_collector_that_is_killed_runs_again(central: Machine) -> None:
    def process() -> str:
        return central.run("systemctl", "show", "--property=MainPID", "--value", "iskra-collect@1").strip()

    before = process()
    central.run("kill", "-9", before)
    until(lambda: process() not in ("0", before), PATIENCE_S, every_s=0.5)
