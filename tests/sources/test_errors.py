import errno
import grp
import os
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from iskra_server.base import installation
from iskra_server.diagnosis.advice import advise
from iskra_server.sources import errors
from iskra_server.sources.errors import SourceError, no_port, opening_error, unplugged
from sources.ptys import NOBODY, Pty, nobody

# names of the subsystem tty
PORTS_AND_OTHERS = ("ttyUSB0", "ttyACM1", "ttyAMA0", "tty", "tty0", "tty7", "ttyS0", "console", "ptmx")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a container nor a service, whatever this machine is."""
    monkeypatch.setattr(installation, "CONTAINER_MARKS", ())
    for variable in ("container", "SUPERVISOR_TOKEN", "SYSTEMD_EXEC_PID"):
        monkeypatch.delenv(variable, raising=False)


def explained(path: object, number: int) -> tuple[str, dict[str, str]]:
    met = opening_error(str(path), OSError(number, os.strerror(number)))
    return met.problem, met.details


def test_a_missing_port() -> None:
    assert explained("/dev/ttyUSB7", errno.ENOENT) == ("missing", {"port": "/dev/ttyUSB7"})
    assert no_port() == "no_port"


def test_a_port_that_is_missing_in_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("container", "podman")
    assert explained("/dev/ttyUSB7", errno.ENOENT) == ("missing_in_container", {"port": "/dev/ttyUSB7"})
    assert no_port() == "no_port_in_container"


def test_a_port_that_is_missing_in_the_app_of_home_assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret")
    assert explained("/dev/ttyUSB7", errno.ENOENT) == ("missing_in_app", {"port": "/dev/ttyUSB7"})
    assert no_port() == "no_port_in_app"


@pytest.mark.parametrize("number", [errno.ENXIO, errno.ENODEV])
def test_a_device_file_without_a_device(number: int) -> None:
    assert explained("/dev/ttyUSB0", number) == (
        "nothing_behind",
        {"port": "/dev/ttyUSB0"},
    )


def refused(path: str, group: int, mode: int) -> SourceError:
    """What somebody without rights is told when he opens a port of root and of this group."""
    with nobody():
        os.seteuid(0)
        os.chown(path, 0, group)
        os.chmod(path, mode)
        os.seteuid(NOBODY)
        with pytest.raises(PermissionError) as refusal:
            os.open(path, os.O_RDWR)
        return opening_error(path, refusal.value)


def test_a_port_of_a_group_without_this_user(plug: Callable[[], Pty]) -> None:
    path, dialout = plug().path, grp.getgrnam("dialout").gr_gid
    met = refused(path, dialout, 0o660)
    assert met.problem == "permission_group"
    assert met.details == {"port": path, "group": "dialout", "user": "nobody", "gid": str(dialout)}


def test_a_container_and_a_service_get_the_group_in_their_own_way(
    plug: Callable[[], Pty], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plug().path
    for variable, value, problem in (
        ("SYSTEMD_EXEC_PID", str(os.getpid()), "permission_group_in_service"),
        ("container", "podman", "permission_group_in_container"),
    ):
        monkeypatch.setenv(variable, value)
        assert refused(path, 54321, 0o660).problem == problem
        monkeypatch.delenv(variable)


def test_a_group_without_a_name_is_a_number(plug: Callable[[], Pty]) -> None:
    assert refused(plug().path, 54321, 0o660).details["group"] == "54321"


def test_a_port_of_root_alone_is_not_told_to_join_the_group_of_root(plug: Callable[[], Pty]) -> None:
    path = plug().path
    met = refused(path, 0, 0o660)
    assert (met.problem, met.details) == ("permission_root", {"port": path})
    for words in (advise(met.problem, met.details).en, advise(met.problem, met.details).de):
        # consoles and /dev/tty stay as they are
        names = words.next_step.partition('KERNEL=="')[2].partition('"')[0].split("|")
        given = [name for name in PORTS_AND_OTHERS if any(fnmatch(name, pattern) for pattern in names)]
        assert given == ["ttyUSB0", "ttyACM1", "ttyAMA0"]


def test_a_port_that_only_its_owner_may_open(plug: Callable[[], Pty]) -> None:
    path = plug().path
    met = refused(path, grp.getgrnam("dialout").gr_gid, 0o600)
    assert met.problem == "permission_owner"
    assert met.details == {"port": path, "owner": "root", "group": "dialout"}


def test_a_busy_port_of_a_hidden_program() -> None:
    assert explained("/dev/ttyUSB7", errno.EBUSY) == (
        "busy_unknown",
        {"port": "/dev/ttyUSB7"},
    )


def test_a_busy_port_of_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "programs_by_device", lambda: {"/dev/ttyUSB7": "vzlogger (pid 1)"})
    assert explained("/dev/ttyUSB7", errno.EBUSY) == ("busy", {"port": "/dev/ttyUSB7", "program": "vzlogger (pid 1)"})


def test_a_port_that_is_configured_twice() -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    try:
        assert explained(path, errno.EBUSY) == ("named_twice", {"port": path})
    finally:
        os.close(master)
        os.close(slave)


def test_a_file_is_not_a_port(tmp_path: Path) -> None:
    capture = tmp_path / "capture.bin"
    capture.write_bytes(b"")
    reason = "Inappropriate ioctl for device"
    assert explained(capture, errno.ENOTTY) == ("unusable_file", {"port": str(capture), "reason": reason})
    assert explained("/dev/null", errno.ENOTTY) == ("unusable", {"port": "/dev/null", "reason": reason})


def test_an_unplugged_port() -> None:
    met = unplugged("/dev/ttyUSB0")
    assert isinstance(met, SourceError)
    assert (met.problem, met.details) == ("unplugged", {"port": "/dev/ttyUSB0"})
