"""The image and the compose file for real: built, started, read, replugged, killed, stopped."""

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from deploy.engine import ROOT, Engine, Project
from deploy.head import DIALOUT, Head
from running import ANSWER_S, free_port, until

SERVICE = "iskra-server"
# what differs from a Raspberry Pi: this engine has no bridge, and the test does not wait for a slow health check
OVERRIDE = """
services:
  iskra-server:
    network_mode: host
    ports: !reset []
    environment:
      IES_PORT: "{port}"
    healthcheck:
      interval: 1s
"""


class Stack(Project):
    """What `docker compose up` started."""

    def __init__(self, engine: Engine, image: str, override: Path, port: int) -> None:
        super().__init__(engine, "docker-compose.yml", override, environ={"ISKRA_IMAGE": image})
        self._port = port

    def run(self, *command: str) -> str:
        """What a command printed inside the container."""
        return self.compose("exec", "--no-TTY", SERVICE, *command)

    def cumulated(self) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
        try:
            connection.request("GET", "/api/electricity/cumulated")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read(), parse_float=Decimal)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def stack(engine: Engine, image: str, head: Head, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    port = free_port()
    override = tmp_path_factory.mktemp("compose") / "override.yml"
    override.write_text(OVERRIDE.format(port=port))
    stack = Stack(engine, image, override, port)
    stack.compose("up", "--detach", "--wait", "--wait-timeout", "180")
    yield stack
    stack.compose("down", "--volumes", "--timeout", "5")


def reads(stack: Stack, head: Head, energy: int, kwh: str) -> bool:
    """Send a telegram and look whether its value is what the server says, digit by digit."""
    head.send(energy)
    with suppress(OSError, HTTPException):
        status, answer = stack.cumulated()
        return status == 200 and str(answer["value"]) == kwh
    return False


def test_compose_up_finds_the_head_and_serves_the_exact_value(stack: Stack, head: Head) -> None:
    assert stack.state(SERVICE)["Health"]["Status"] == "healthy"
    status, answer = stack.cumulated()
    assert (status, "value" in answer) == (503, False)
    # the zone of the household, not UTC
    assert re.search(r"Days begin in \S+ \(variable\)", stack.compose("logs", SERVICE))
    until(lambda: reads(stack, head, 123456789, "12345.6789"))


def test_a_replugged_head_is_read_again(stack: Stack, head: Head) -> None:
    until(lambda: reads(stack, head, 123456790, "12345.6790"))
    head.unplug()
    head.plug_in()
    until(lambda: reads(stack, head, 123456791, "12345.6791"))


def test_the_container_can_write_nothing_but_its_data(stack: Stack) -> None:
    stack.run("touch", "/data/written")
    with pytest.raises(AssertionError, match="Read-only file system"):
        stack.run("touch", "/opt/written")
    with pytest.raises(AssertionError, match="Read-only file system"):
        stack.run("touch", "/dev/written")


def test_the_container_has_no_privileges_but_the_group_dialout(stack: Stack) -> None:
    assert stack.run("id", "-u") == "10001"
    assert stack.run("id", "-G").split() == [str(DIALOUT)]
    status = dict(line.split(":\t", 1) for line in stack.run("cat", "/proc/1/status").splitlines())
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize(
    ("major", "minor", "is_open"), [(188, 7, True), (166, 7, True), (204, 70, True), (4, 64, True), (10, 229, False)]
)
def test_serial_ports_may_be_opened_and_other_devices_not(
    engine: Engine, stack: Stack, major: int, minor: int, is_open: bool
) -> None:
    name = f"test-{major}"
    os.mknod(engine.dev / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
    (engine.dev / name).chmod(0o666)
    program = f"import os\ntry: os.close(os.open('/dev/{name}', os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))\n"
    error = stack.run("python", "-c", program + "except PermissionError: print('forbidden')\nexcept OSError: pass")
    assert error == ("" if is_open else "forbidden")


def test_a_killed_server_is_started_again(stack: Stack, head: Head) -> None:
    stack.kill(SERVICE)
    until(lambda: reads(stack, head, 123456792, "12345.6792"))


def test_stop_ends_it_promptly(stack: Stack) -> None:
    stack.compose("stop", "--timeout", "10")
    state = stack.state(SERVICE)
    assert state["Status"] == "exited"
    # it is 1 after 4.2 s, and 137 after 10
    assert state["ExitCode"] == 0


def test_the_image_carries_no_compiler_and_no_pip(engine: Engine, image: str) -> None:
    listing = engine.docker("run", "--rm", "--network", "none", "--entrypoint", "ls", image, "/opt/iskra-server/bin")
    assert "iskra-server" in listing.split()
    assert not {"pip", "pip3"} & set(listing.split())


def test_a_start_compiles_nothing(engine: Engine, image: str) -> None:
    program = (
        "import iskra_server.cli.commands.serve, iskra_server.history.recording.archive, os, sys; "
        "names = {m.__cached__ for m in [*sys.modules.values()] if getattr(m, '__cached__', None)}; "
        "print(len(names), sorted(name for name in names if not os.path.exists(name)))"
    )
    said = engine.docker("run", "--rm", "--network", "none", "--entrypoint", "python", image, "-c", program)
    count, missing = said.strip().split(" ", 1)
    assert int(count) > 100
    assert missing == "[]"


def test_the_compose_file_is_complete_as_it_stands(engine: Engine) -> None:
    engine.docker("compose", "--file", ROOT / "docker-compose.yml", "config", "--quiet")
