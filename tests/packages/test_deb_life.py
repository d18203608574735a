"""The life of the Debian package on a machine of its own: installed, upgraded, downgraded, removed, purged.

TEST_DEBIAN=all: on each release of Debian, else on the oldest one.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deb.suites import SUITES
from iskra_server import __version__
from iskra_server.history.store.schema import VERSION_TABLE, VERSIONS
from packages.machine import Machine, booted, skip_where_impossible
from packages.test_deb import packages
from packages.wheel import KNOWN, ROOT, build, copy_checkout
from running import until

pytestmark = pytest.mark.slow
OLDER = "0.0.9"
CONFIG = "/etc/iskra-server/iskra-server.toml"
DATA = "/var/lib/private/iskra-server"
TESTED = list(SUITES) if os.environ.get("TEST_DEBIAN") == "all" else list(SUITES)[:1]
PORT = 8081


@pytest.fixture(scope="module", params=TESTED)
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of a version before this one, with another configuration file."""
    folder = copy_checkout(tmp_path_factory.mktemp("older"))
    init, head = folder / "src/iskra_server/__init__.py", folder / "release/deb/config_file.py"
    init.write_text(init.read_text().replace(__version__, OLDER))
    head.write_text(head.read_text().replace("Configuration of iskra-server.", "Configuration of the server."))
    return folder


@pytest.fixture(scope="module")
def debs(suite: str, older: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The package of the older version, and that of this one."""
    skip_where_impossible()
    folder = tmp_path_factory.mktemp("debs")
    checkout = copy_checkout(folder / "checkout")
    wheels = [build(source, folder / source.name, ["wheel"], environ=KNOWN)["wheel"] for source in (older, checkout)]
    machine = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    options = ("--release", suite, "--architecture", machine.stdout.strip())
    built = [
        packages(wheel, folder, *options, script=source / "release/build_deb.py")[0]
        for wheel, source in zip(wheels, (older, ROOT), strict=True)
    ]
    return built[0], built[1]


@pytest.fixture(scope="module")
def machine(suite: str, debs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with booted(suite, tmp_path_factory.mktemp("machine")) as machine:
        yield machine


def status(machine: Machine, port: int = PORT) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(machine.get("/api/v1/status", port))
    return answer


def is_active(machine: Machine) -> bool:
    return machine.run("systemctl", "is-active", "iskra-server", check=False).strip() == "active"


def meters(machine: Machine) -> str:
    """Those in history, a line each; the exit status is 1 while there is none."""
    return machine.run("iskra-server", "meters", "--json", check=False, IES_DATA_DIR=DATA)


def test_it_installs_and_says_that_there_is_no_head(machine: Machine, debs: tuple[Path, Path]) -> None:
    machine.install(debs[0])
    assert is_active(machine)
    # until it has looked for a head, the port is being opened
    until(lambda: status(machine, 8080)["meters"][0]["failed_check"] == "device", 60)
    answer = status(machine, 8080)
    assert answer["server"]["version"] == OLDER
    assert "There is no serial port" in answer["meters"][0]["sentence"]
    assert machine.run("iskra-server", "--version").startswith(f"iskra-server {OLDER} (commit 0123456789ab")
    # a user of its own, and bytecode that it could not write
    assert machine.run("stat", "--format=%U", f"{DATA}/iskra.sqlite").strip() != "root"
    assert machine.run("find", "/opt/iskra-server", "-name", "cli.*.pyc", "-o", "-name", "hub.*.pyc").count("hub") == 1


def test_its_manual_and_completion_are_found(machine: Machine) -> None:
    assert "iskra-server demo [OPTIONS]" in machine.run("man", "iskra-server", MANPAGER="cat")
    script = (
        "source /usr/share/bash-completion/bash_completion; _completion_loader iskra-server || __load_completion"
        " iskra-server; COMP_WORDS=(iskra-server de) COMP_CWORD=1; _iskra_server_completion iskra-server;"
        ' echo "${COMPREPLY[@]}"'
    )
    assert machine.run("bash", "-c", script).split()[-2:] == ["demo", "decode"]


def test_it_reads_a_head_that_the_configuration_names(machine: Machine) -> None:
    machine.run("systemd-run", "--unit=head", "--property=StandardOutput=file:/run/port", "iskra-server", "simulate")
    port = str(until(lambda: re.search(r"^/dev/pts/\d+", machine.run("cat", "/run/port", check=False)), 60)[0])
    machine.run("chgrp", "dialout", port)
    machine.run("chmod", "660", port)
    file = machine.root / CONFIG.removeprefix("/")
    text = file.read_text()
    changes = {
        "#[server]\n": "[server]\n",
        "#port = 8080": f"port = {PORT}",
        "#[[meters]]": "[[meters]]",
        '#url = "auto"': f'url = "{port}"',
        "#[history]": "[history]",
        "#flush_s = 60.0": "flush_s = 1.0",
    }
    for before, after in changes.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    file.write_text(text)
    assert "is valid" in machine.run("iskra-server", "config", "check", "--config", CONFIG)
    machine.run("systemctl", "restart", "iskra-server")
    until(lambda: status(machine)["meters"][0]["ok"], 60)
    assert json.loads(machine.get("/api/electricity/cumulated", PORT))
    until(lambda: "ISK" in meters(machine), 60)


def test_an_upgrade_keeps_history_and_configuration(machine: Machine, debs: tuple[Path, Path]) -> None:
    before = status(machine)["server"], json.loads(meters(machine).splitlines()[0])
    machine.install(debs[1])
    until(lambda: status(machine)["server"]["version"] == __version__, 60)
    after = status(machine)["server"], json.loads(meters(machine).splitlines()[0])
    assert after[0]["id"] == before[0]["id"]
    assert after[1]["first_seen"] == before[1]["first_seen"]
    assert f"port = {PORT}" in machine.run("cat", CONFIG)
    assert "Configuration of iskra-server." in machine.run("cat", f"{CONFIG}.dpkg-dist")
    until(lambda: status(machine)["meters"][0]["ok"], 60)


def test_a_newer_history_is_not_touched_by_an_older_version(machine: Machine, debs: tuple[Path, Path]) -> None:
    machine.install(debs[0], "--allow-downgrades")
    until(lambda: status(machine)["server"]["version"] == OLDER, 60)
    machine.run("systemctl", "stop", "iskra-server")
    try:
        set_schema(machine, "9999")
        machine.run("systemctl", "start", "iskra-server")
        until(lambda: "newer iskra-server (schema 9999" in status(machine)["history"], 60)
        # the meter is read all the same
        until(lambda: status(machine)["meters"][0]["ok"], 60)
        machine.run("systemctl", "stop", "iskra-server")
    finally:
        set_schema(machine, VERSIONS[-1])
    machine.install(debs[1])
    until(lambda: status(machine)["history"] == "", 60)


def set_schema(machine: Machine, version: str) -> None:
    change = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
    question = f"UPDATE {VERSION_TABLE} SET version_num = '{version}'"
    assert machine.run("python3", "-c", change, f"{DATA}/iskra.sqlite", question) == ""


def test_it_opens_ports_below_1024_with_the_example_and_not_without(machine: Machine) -> None:
    environment, service = machine.root / "etc/default/iskra-server", "/etc/systemd/system/iskra-server.service.d"
    environment.write_text("IES_ECOTRACKER_ENABLED=true\n")
    machine.run("systemctl", "restart", "iskra-server")
    until(lambda: "AmbientCapabilities=CAP_NET_BIND_SERVICE" in sentence_of_ecotracker(machine), 60)
    example = "/usr/share/doc/iskra-server/examples/emulation.conf"
    machine.run("install", "-D", "-m", "644", example, f"{service}/emulation.conf")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "iskra-server")
    assert json.loads(machine.get("/v1/json", 80))["energyCounterIn"]
    assert sentence_of_ecotracker(machine) == ""
    pid = machine.run("systemctl", "show", "--property=MainPID", "--value", "iskra-server").strip()
    rights = dict(re.findall(r"^(Cap\w+):\t(\w+)$", machine.run("cat", f"/proc/{pid}/status"), re.MULTILINE))
    # CAP_NET_BIND_SERVICE
    assert {int(rights[name], 16) for name in ("CapBnd", "CapEff", "CapPrm", "CapAmb")} == {1 << 10}
    environment.unlink()
    machine.run("rm", "--recursive", service)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "iskra-server")


def sentence_of_ecotracker(machine: Machine) -> str:
    outputs = {output["name"]: output["sentence"] for output in status(machine)["outputs"]}
    return str(outputs.get("ecotracker", ""))


def test_removed_it_leaves_history_and_configuration_alone(machine: Machine, debs: tuple[Path, Path]) -> None:
    known = status(machine)["server"]["id"]
    machine.run("apt-get", "remove", "--yes", "iskra-server")
    assert not is_active(machine)
    assert [path for path in ("opt/iskra-server", "usr/bin/iskra-server") if (machine.root / path).exists()] == []
    assert (machine.root / DATA.removeprefix("/") / "iskra.sqlite").exists()
    machine.install(debs[1])
    assert is_active(machine)
    assert status(machine)["server"]["id"] == known


def test_what_was_disabled_stays_so(machine: Machine, debs: tuple[Path, Path]) -> None:
    machine.run("systemctl", "disable", "--now", "iskra-server")
    machine.install(debs[1], "--reinstall")
    assert machine.run("systemctl", "is-enabled", "iskra-server", check=False).strip() == "disabled"


def test_purged_it_keeps_the_history_and_says_where(machine: Machine, debs: tuple[Path, Path]) -> None:
    said = machine.run("apt-get", "purge", "--yes", "iskra-server")
    assert f"The history of the meter stays in {DATA}." in said
    assert (machine.root / DATA.removeprefix("/") / "iskra.sqlite").exists()
    assert not (machine.root / "etc/iskra-server").exists()
    machine.install(debs[1])
    machine.run("apt-get", "purge", "--yes", "iskra-server", ISKRA_PURGE_HISTORY="yes")
    assert not (machine.root / DATA.removeprefix("/")).exists()
    left = machine.run("find", "/etc", "/usr", "/var/lib", "-name", "*iskra*", "-not", "-path", "*/apt/*")
    assert left == ""


def test_it_does_not_write_over_an_installation_by_hand(machine: Machine, debs: tuple[Path, Path]) -> None:
    by_hand = machine.root / "opt" / "iskra-server"
    # dpkg removes /opt with the last that is in it
    by_hand.mkdir(parents=True)
    (by_hand / "pyvenv.cfg").write_text("")
    shutil.copy(debs[1], machine.root / "root")
    said = machine.run("apt-get", "install", "--yes", f"/root/{debs[1].name}", check=False)
    assert "/opt/iskra-server was installed by hand. Move it away" in said
    assert list(by_hand.iterdir()) == [by_hand / "pyvenv.cfg"]
