import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from iskra_server.base.processes import (
    ListeningSocket,
    is_server,
    listening_programs,
    open_files,
    sockets_of_other_servers,
)
from running import serving

METER = "simulator:MT175"


def test_open_files_of_this_process_and_of_another_are_told_with_the_program(tmp_path: Path) -> None:
    path = tmp_path / "open"
    with (
        path.open("w") as opened,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=opened) as child,
    ):
        holders = {program for program, target in open_files() if target == str(path)}
        assert {program.rpartition(" (pid ")[2] for program in holders} == {f"{os.getpid()})", f"{child.pid})"}
        assert all(not program.startswith("a program ") for program in holders)
        child.communicate(b"\n")


def test_a_process_that_may_not_be_seen_or_has_no_name_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "8" / "fd").mkdir(parents=True)
    (tmp_path / "8" / "fd" / "0").symlink_to("/dev/null")
    assert list(open_files(tmp_path)) == [("a program (pid 8)", "/dev/null")]


def test_a_server_of_ours_is_named_with_its_command_and_found_at_its_port() -> None:
    with serving("serve", METER) as server:
        port, name = int(server.url.rpartition(":")[2]), f"iskra-server serve (pid {server.process.pid})"
        assert listening_programs(port, "tcp") == [name]
        (found,) = [opened for opened in sockets_of_other_servers() if opened.port == port]
        assert (found.host, found.uid) == ("0.0.0.0", os.geteuid())
    assert is_server(name) and is_server(f"socat (pid 7), {name}")
    assert port not in [opened.port for opened in sockets_of_other_servers()]


@pytest.mark.parametrize("program", ["iskra-server align (pid 7)", "vzlogger (pid 7)", "a program (pid 7)", ""])
def test_other_programs_and_other_commands_of_ours_are_no_server(program: str) -> None:
    assert not is_server(program)


def test_of_a_server_of_another_user_all_ports_of_that_user_are_given(tmp_path: Path) -> None:
    """Its descriptors are hidden; addresses of IPv4 and IPv6 are in the byte order of this machine."""
    for pid, command in (("8", "serve"), ("9", "record")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "comm").write_text("iskra-server\n")
        (tmp_path / pid / "cmdline").write_text(f"/usr/bin/python3\0/usr/bin/iskra-server\0{command}\0--port\x0080\0")
    (tmp_path / "net").mkdir()
    words = socket.inet_aton("127.0.0.1")[:: 1 if sys.byteorder == "big" else -1].hex().upper()
    rest = f"00:00000000 00000000 {os.geteuid():5} 0"
    for table, host in (("tcp", words), ("tcp6", "0" * 32)):
        lines = [f"0: {host}:{port:04X} 0:0 {state} 0:0 {rest} {port}" for port, state in ((80, "0A"), (81, "01"))]
        (tmp_path / "net" / table).write_text(
            "\n".join(["header", *lines, lines[0].replace(rest, rest.replace(" 0", " 7"))])
        )
    assert list(sockets_of_other_servers(tmp_path)) == [
        ListeningSocket("127.0.0.1", 80, os.geteuid(), "80"),
        ListeningSocket("::", 80, os.geteuid(), "80"),
    ]
    assert [name for name, _ in open_files(tmp_path)] == []
