"""The emulated devices of the real server, found across a network by Avahi, which has nothing in common with ours.

Avahi is unpacked from Debian's packages, and runs with a message bus of its own on a machine of its own.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from deploy.engine import CACHE, fetch_packages
from homeassistant import network
from running import COMMAND, until

pytestmark = pytest.mark.slow

FOLDER = "avahi"
PACKAGES = (
    *("avahi-daemon", "avahi-utils", "libavahi-client3", "libavahi-common3", "libavahi-core7", "libdaemon0"),
    "libavahi-common-data",
)
BUS = """<busconfig>
<type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_type="method_return"/><allow send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="signal"/><allow receive_type="method_return"/>
<allow receive_type="error"/></policy>
</busconfig>"""
CONFIG = "[server]\nhost-name=battery\nuse-ipv6=no\nallow-interfaces=eth0\nenable-dbus=yes\n[rlimits]\n"
SERVICES = ("_everhome._tcp", "_shelly._tcp", "_http._tcp")


class Avahi:
    """On a machine of the test."""

    def __init__(self, machine: network.Machine, folder: Path) -> None:
        root = CACHE / FOLDER
        libraries = ":".join(str(path) for path in root.glob("usr/lib/*-linux-gnu"))
        self._command = machine.command
        self._programs = root / "usr"
        self._environ = os.environ | {
            "LD_LIBRARY_PATH": libraries,
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/bus",
        }
        # it makes a folder in /run for its user
        machine.run("mount", "-t", "tmpfs", "tmpfs", "/run")
        for name, line in (("passwd", "avahi:x:994:994::/:/bin/false\n"), ("group", "avahi:x:994:\n")):
            (folder / name).write_text(Path(f"/etc/{name}").read_text() + line)
            machine.bind(folder / name, f"/etc/{name}")
        (folder / "bus.conf").write_text(BUS.format(socket=folder / "bus"))
        (folder / "avahi.conf").write_text(CONFIG)
        self._folder = folder

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._started("dbus-daemon", "--nofork", f"--config-file={self._folder}/bus.conf"))
            until((self._folder / "bus").exists)
            options = ("--no-drop-root", "--no-chroot", "--no-rlimits", "--no-proc-title")
            file = f"--file={self._folder}/avahi.conf"
            stack.enter_context(self._started(self._programs / "sbin/avahi-daemon", file, *options))
            yield

    @contextmanager
    def _started(self, *command: str | Path) -> Iterator[None]:
        process = subprocess.Popen([*self._command, *command], env=self._environ, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)

    def found(self, service: str) -> list[list[str]]:
        """What `avahi-browse` prints, but for the page of the server itself.

        The fields are: =, interface, protocol, name, type, domain, host, address, port, text.
        """
        browse = (self._programs / "bin/avahi-browse", "--parsable", "--resolve", "--terminate", service)
        done = subprocess.run(
            [*self._command, *browse], env=self._environ, capture_output=True, text=True, timeout=60, check=False
        )
        fields = [line.split(";") for line in done.stdout.splitlines() if line.startswith("=")]
        return [found for found in fields if not found[3].startswith("ISKRA")]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """By type of service, what Avahi found first."""
    if reason := network.missing():
        pytest.skip(reason)
    if missing := [name for name in ("apt-get", "dpkg", "dbus-daemon") if not shutil.which(name)]:
        pytest.skip(f"needs {', '.join(missing)}")
    if not (CACHE / FOLDER).exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fetch_packages(FOLDER, *PACKAGES)
    folder = tmp_path_factory.mktemp("avahi")
    server, battery = machines = [network.Machine("10.9.1.1"), network.Machine("10.9.1.2")]
    try:
        server.run(*f"ip link add eth0 type veth peer name eth0 netns {battery.pid}".split())
        for machine in machines:
            machine.run(*f"ip address add {machine.address}/24 dev eth0".split())
            machine.run(*["ip", "link", "set", "eth0", "up"])
        # of another network, which the battery cannot reach
        server.run(*["ip", "link", "add", "docker0", "type", "bridge"])
        server.run(*["ip", "address", "add", "172.17.0.1/16", "dev", "docker0"])
        server.run(*["ip", "link", "set", "docker0", "up"])
        environ = os.environ | {
            "IES_DATA_DIR": str(folder),
            "IES_ECOTRACKER_ENABLED": "true",
            "IES_SHELLY_PRO_3EM_ENABLED": "true",
        }
        avahi = Avahi(battery, folder)
        serve = [*server.command, COMMAND, "serve", "simulator:MT175"]
        with avahi.running(), (folder / "log").open("w") as log:
            process = subprocess.Popen(serve, env=environ, stderr=log)
            try:
                yield {service: until(partial(avahi.found, service), every_s=1)[0] for service in SERVICES}
            finally:
                process.terminate()
                process.wait(20)
    finally:
        for machine in machines:
            machine.end()


@pytest.mark.parametrize("service", SERVICES)
def test_a_device_is_found_at_the_address_and_port_where_it_answers(service: str, seen: dict[str, list[str]]) -> None:
    *_, address, port, _text = seen[service]
    assert (address, port) == ("10.9.1.1", "80")


def test_an_ecotracker_tells_its_serial_number_and_address(seen: dict[str, list[str]]) -> None:
    name, text = seen["_everhome._tcp"][3], seen["_everhome._tcp"][9]
    address = name.removeprefix("ecotracker-")
    assert re.fullmatch("02[0-9A-F]{10}", address)
    assert set(text.replace('"', "").split()) == {"ip=10.9.1.1", f"serial={address.lower()}", "productid=1137"}


def test_a_shelly_is_found_under_one_name_as_both_types(seen: dict[str, list[str]]) -> None:
    assert seen["_shelly._tcp"][3] == seen["_http._tcp"][3]
    assert seen["_shelly._tcp"][3].startswith("shellypro3em-")
    assert "gen=2" in seen["_shelly._tcp"][9] and "app=Pro3EM" in seen["_shelly._tcp"][9]
