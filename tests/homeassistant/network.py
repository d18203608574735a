"""A home's network in namespaces: the server's machine is its switch, every other machine hangs on it by a cable.

    raspberrypi.local, .1: a bridge, and this process --- a machine, .2
                                                      --- a machine, .3

A machine has its own network and its own mounts. It lives as long as this process: its first process reads from a pipe
of ours until that ends. Nothing leads in or out, and machines see the server but not each other. This process steps
into the home: a cable to it would change the network of everything that runs beside it, and a browser drops what it
loads when that changes.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zeroconf import IPVersion, ServiceInfo, Zeroconf

from namespaces import inside

PI_NAME = "raspberrypi.local"
# leads to it too, but the server was not told of it
FOREIGN_NAME = "meters.example"
# one of those for measurements (RFC 2544)
SUBNET = "198.18.0"
NEEDED = ("ip", "bridge", "mount", "nsenter", "unshare")
# lo comes up by hand in a new namespace
FIRST_PROCESS = "ip link set lo up && echo ready && exec cat"


class Machine:
    """A network and a table of mounts of their own. `command` is what a command is prefixed with to run there.

    With a `root`, a file system that holds another distribution, commands run in that one.
    """

    def __init__(self, address: str, root: Path | None = None) -> None:
        self.address = address
        self._root = root
        self._process = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", FIRST_PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout and self._process.stdout.readline() == b"ready\n", "no namespace could be made"
        self.pid = str(self._process.pid)
        self._enter = ("nsenter", "--net", "--mount", "--target", self.pid, "--")
        self.command = (*self._enter, "chroot", str(root)) if root else self._enter
        if root:
            for kernel in ("/dev", "/proc", "/sys"):
                self.run("mount", "--rbind", kernel, f"{root}{kernel}")

    def run(self, *command: str | Path) -> None:
        """A tool of this machine's, not of the other distribution."""
        run(*self._enter, *command)

    def bind(self, source: Path, inside: str) -> None:
        """Show a file or a folder of ours at a place where there is one already."""
        self.run("mount", "--bind", source, f"{self._root or ''}{inside}")

    def end(self) -> None:
        self._process.communicate()


class Network:
    """`pi` is the server's machine; `machine` adds another one."""

    def __init__(self, folder: Path) -> None:
        self._machines: list[Machine] = []
        self.pi = self._new(1)
        self.hosts = folder / "hosts"
        self.hosts.write_text(f"127.0.0.1 localhost\n{self.pi.address} {PI_NAME} {FOREIGN_NAME}\n")
        for line in (
            "ip link add home type bridge",
            f"ip address add {self.pi.address}/24 dev home",
            "ip link set home up",
        ):
            self.pi.run(*line.split())

    def machine(self, root: Path | None = None) -> Machine:
        """Another machine of the home, which knows the server by name."""
        added = self._new(len(self._machines) + 1, root)
        port = f"port{len(self._machines)}"
        self.pi.run(*f"ip link add {port} type veth peer name eth0 netns {added.pid}".split())
        self.pi.run(*f"ip link set {port} master home up".split())
        self.pi.run(*f"bridge link set dev {port} isolated on".split())
        added.run(*f"ip address add {added.address}/24 dev eth0".split())
        # without an IPv6 address, which nothing can listen at in its first seconds; zeroconf warns of that
        added.run("ip", "link", "set", "eth0", "addrgenmode", "none")
        added.run("ip", "link", "set", "eth0", "up")
        # where a default route would lead: multicast DNS goes out there
        added.run("ip", "route", "add", "224.0.0.0/4", "dev", "eth0")
        added.bind(self.hosts, "/etc/hosts")
        return added

    def add_address(self, number: int) -> str:
        """Another one for the server's machine."""
        address = f"{SUBNET}.{number}"
        self.pi.run("ip", "address", "add", f"{address}/24", "dev", "home")
        return address

    def cut(self) -> None:
        """Every other machine loses the server's, without a word."""
        self.pi.run("ip", "link", "set", "home", "down")

    def mend(self) -> None:
        self.pi.run("ip", "link", "set", "home", "up")

    def end(self) -> None:
        for machine in self._machines:
            machine.end()

    def _new(self, number: int, root: Path | None = None) -> Machine:
        made = Machine(f"{SUBNET}.{number}", root)
        self._machines.append(made)
        return made


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """This thread, and whatever it starts, is on the server's machine until the end of the block."""
    made = Network(folder)
    try:
        with inside(made.pi.pid), answering(made.pi.address):
            yield made
    finally:
        made.end()


@contextmanager
def answering(address: str) -> Iterator[None]:
    """Tell the Pi's address by multicast DNS, as its Avahi does: Home Assistant asks nobody else for a .local name."""
    kind = "_workstation._tcp.local."
    name = PI_NAME.removesuffix(".local")
    machine = ServiceInfo(kind, f"{name}.{kind}", port=9, parsed_addresses=[address], server=f"{PI_NAME}.")
    with Zeroconf(interfaces=[address], ip_version=IPVersion.V4Only) as zeroconf:
        zeroconf.register_service(machine)
        yield


def missing() -> str | None:
    """Why there can be no such network here."""
    if os.geteuid() != 0:
        return "network namespaces are made by root alone"
    if lacking := [name for name in NEEDED if not shutil.which(name)]:
        return f"needs {', '.join(lacking)} (make test installs them when it is run by root)"
    done = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True, check=False)
    return f"no network namespace can be made here: {done.stderr.strip()}" if done.returncode else None


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr}"
