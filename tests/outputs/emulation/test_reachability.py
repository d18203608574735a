"""Ports that are taken or forbidden, told with real sockets; networks of containers, in a network of the test's own."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from homeassistant import network
from iskra_server.base import installation
from iskra_server.base.processes import Transport, listening_programs
from iskra_server.diagnosis.advice import Advice
from iskra_server.outputs.emulation import reachability
from iskra_server.outputs.emulation.reachability import (
    bridge_warning,
    cannot_listen,
    is_in_container_network,
)

KINDS: dict[Transport, socket.SocketKind] = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
FORBIDDEN = PermissionError(errno.EACCES, "Permission denied")
AS_SERVICE = {"SYSTEMD_EXEC_PID": str(os.getpid())}
TAKEN = OSError(errno.EADDRINUSE, "Address already in use")
# a program that takes a port, says which, and waits for the end of its input
HOLD = """
import socket, sys
held = socket.socket(getattr(socket, sys.argv[1]), getattr(socket, sys.argv[2]))
held.bind(("", 0))
if sys.argv[2] == "SOCK_STREAM": held.listen()
print(held.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def another_program(family: str, kind: str) -> Iterator[tuple[int, int]]:
    """Its pid, and the port that it holds."""
    command = [sys.executable, "-c", HOLD, family, kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin and program.stdout
        yield program.pid, int(program.stdout.readline())
        program.stdin.close()


def error_of_opening(port: int, transport: Transport, host: str = "127.0.0.1") -> OSError:
    with socket.socket(socket.AF_INET, KINDS[transport]) as opened, pytest.raises(OSError) as failure:
        opened.bind((host, port))
    return failure.value


@pytest.fixture
def somewhere(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Neither a container nor an app nor a service."""
    monkeypatch.setattr(installation, "CONTAINER_MARKS", ())
    for variable in ("SUPERVISOR_TOKEN", "container", "SYSTEMD_EXEC_PID"):
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
@pytest.mark.parametrize(("transport", "kind"), [("tcp", "SOCK_STREAM"), ("udp", "SOCK_DGRAM")])
def test_a_taken_port_is_told_with_the_program(family: str, transport: Transport, kind: str) -> None:
    with another_program(family, kind) as (pid, port):
        error = error_of_opening(port, transport)
        advice = cannot_listen(port, transport, error)
        assert advice.fault == "listening_busy"
        assert f"(pid {pid})" in advice.en.sentence
        assert advice.en.sentence.startswith(f"{transport.upper()} port {port} is in use by ")
        assert advice.de.sentence.startswith(f"{transport.upper()}-Port {port} wird von ")
    assert listening_programs(port, transport) == []


def test_a_port_of_this_server_itself_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cannot_listen(port, "tcp", error_of_opening(port, "tcp")).fault == "listening_twice"
        # the same number of the other protocol is another port
        assert listening_programs(port, "udp") == []


def test_a_program_that_may_not_be_seen_is_another_program(somewhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    somewhere.setattr(reachability, "listening_programs", lambda *_: [])
    advice = cannot_listen(80, "tcp", TAKEN)
    assert advice.fault == "listening_busy_unknown"
    assert str(advice.en) == (
        "TCP port 80 is in use by another program. Without it, these batteries do not find the meter: "
        "Hoymiles, Growatt, EcoFlow, Jackery. Find it with sudo ss -lnp 'sport = :80', and stop it or give it another "
        "port; this server then opens the port by itself."
    )
    assert "Ohne ihn finden diese Speicher den Zähler nicht: Hoymiles" in advice.de.sentence
    somewhere.setenv("SUPERVISOR_TOKEN", "secret")
    assert cannot_listen(80, "tcp", TAKEN).fault == "listening_busy_unknown_in_app"
    # nothing of /proc can be read
    assert listening_programs(80, "tcp", tmp_path) == []


def test_which_batteries_do_not_find_the_meter_depends_on_the_port(somewhere: pytest.MonkeyPatch) -> None:
    assert "Marstek Venus" in str(cannot_listen(1010, "udp", FORBIDDEN).en)
    assert "do not find" not in str(cannot_listen(80, "udp", FORBIDDEN).en)
    assert "do not find" not in str(cannot_listen(8081, "tcp", FORBIDDEN).en)


@pytest.mark.parametrize(
    ("environ", "fault", "remedy"),
    [
        ({}, "listening_privilege", "ip_unprivileged_port_start=80"),
        (
            {"SYSTEMD_EXEC_PID": str(os.getpid())},
            "listening_privilege_in_service",
            "AmbientCapabilities=CAP_NET_BIND_SERVICE",
        ),
        ({"container": "podman"}, "listening_privilege_in_container", "docker-compose.emulation.yml"),
        ({"SUPERVISOR_TOKEN": "secret", "container": "docker"}, "listening_privilege_in_app", "host network"),
    ],
)
def test_a_missing_privilege_is_told_with_the_remedy_of_the_place(
    somewhere: pytest.MonkeyPatch, environ: dict[str, str], fault: str, remedy: str
) -> None:
    for name, value in environ.items():
        somewhere.setenv(name, value)
    advice = cannot_listen(80, "tcp", FORBIDDEN)
    assert advice.fault == fault
    assert remedy in advice.en.next_step and remedy in advice.de.next_step


def test_an_address_of_another_machine_is_named() -> None:
    error = error_of_opening(0, "tcp", "192.0.2.1")
    assert cannot_listen(8081, "tcp", error, host="192.0.2.1").fault == "listening_no_address"
    sentence = cannot_listen(8081, "tcp", error, host="192.0.2.1").en.sentence
    assert sentence == "This machine has no address 192.0.2.1."
    assert cannot_listen(8081, "tcp", error).fault == "listening_failed"


def test_another_error_is_told_as_the_system_says_it() -> None:
    error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    assert cannot_listen(8081, "tcp", error).fault == "listening_failed"
    sentence = cannot_listen(8081, "tcp", error).en.sentence
    assert sentence == "TCP port 8081 cannot be opened (Too many open files)."
    with pytest.raises(OSError) as unknown:
        socket.getaddrinfo("no-such-name.invalid", 1)
    assert unknown.value.strerror and unknown.value.strerror in str(cannot_listen(8081, "tcp", unknown.value).en)


ASK = """
import sys
from pathlib import Path
from iskra_server.outputs.emulation.reachability import is_in_container_network
print(is_in_container_network(Path("/sys/class/net"), sys.argv[1:]))
"""


def test_a_cable_to_a_bridge_of_containers_is_told_from_a_network_of_the_home(tmp_path: Path) -> None:
    if reason := network.missing():
        pytest.skip(reason)
    mark = tmp_path / ".dockerenv"
    mark.touch()
    host, container = machines = [network.Machine(""), network.Machine("")]

    def answer(machine: network.Machine, *marks: Path) -> bool:
        command = (*machine.command, sys.executable, "-c", ASK, *map(str, marks))
        return subprocess.check_output(command, text=True).strip() == "True"

    try:
        for machine in machines:
            machine.run("mount", "-t", "sysfs", "sysfs", "/sys")
        # no network at all
        assert not answer(container, mark)
        host.run(*["ip", "link", "add", "docker0", "type", "bridge"])
        host.run(*["ip", "link", "set", "docker0", "up"])
        host.run(*f"ip link add veth0 type veth peer name eth0 netns {container.pid}".split())
        host.run(*["ip", "link", "set", "veth0", "master", "docker0", "up"])
        container.run(*["ip", "link", "set", "eth0", "up"])
        assert answer(container, mark)
        # such a cable also leads into a Proxmox container, which is in the network of the home
        assert not answer(container, tmp_path / "none")
        # a container in the network of the host sees the bridge as well
        assert not answer(host, mark)
    finally:
        for machine in machines:
            machine.end()


def test_a_network_of_containers_is_a_warning(somewhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def warning() -> Advice:
        advice = bridge_warning()
        assert advice
        return advice

    somewhere.setattr(reachability, "is_in_container_network", lambda: True)
    assert warning().fault == "bridge_only"
    somewhere.setenv("SUPERVISOR_TOKEN", "secret")
    assert warning().fault == "bridge_only_in_app"
    somewhere.setattr(reachability, "is_in_container_network", lambda: False)
    assert bridge_warning() is None
    # no /sys
    assert not is_in_container_network(tmp_path / "none", ["/"])
