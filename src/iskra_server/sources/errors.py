"""Why a port cannot be opened or read, as a key of the table of advice with the details of its sentence."""

import errno
import grp
import os
import pwd
import socket
import stat
from collections.abc import Callable

from iskra_server.base.address import Address
from iskra_server.base.installation import in_app, in_container, is_service
from iskra_server.base.processes import is_server
from iskra_server.sources.ports import programs_by_device

# the device file exists, but no device is connected
_NOTHING_BEHIND = {errno.ENODEV, errno.ENXIO}


class SourceError(Exception):
    """A line cannot be opened, or was lost. Handled inside `sources`."""

    def __init__(self, problem: str, **details: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.details = details


def opening_error(path: str, error: OSError) -> SourceError:
    """The problem behind an error of opening or configuring a serial port."""
    if isinstance(error, FileNotFoundError):
        return SourceError(_where("missing"), port=path)
    if isinstance(error, PermissionError):
        return _no_permission(path)
    if error.errno == errno.EBUSY:
        return _busy(path)
    if error.errno in _NOTHING_BEHIND:
        return SourceError("nothing_behind", port=path)
    problem = "unusable_file" if os.path.isfile(path) else "unusable"
    return SourceError(problem, port=path, reason=error.strerror or str(error))


def network_error(address: Address, error: OSError | UnicodeError) -> SourceError:
    """The problem behind an error of a connection."""
    port = str(address)
    if isinstance(error, ConnectionRefusedError):
        return SourceError("refused", port=port)
    # UnicodeError: a name with an empty or too long part, which is not looked up at all
    if isinstance(error, socket.gaierror | UnicodeError):
        return SourceError("unknown_name", port=port)
    if isinstance(error, TimeoutError):
        return SourceError("no_answer", port=port)
    return SourceError("unreachable", port=port, reason=address.masked(error.strerror or error))


def no_port() -> str:
    """The problem of a machine without any serial port."""
    return _where("no_port")


def unplugged(path: str) -> SourceError:
    return SourceError("unplugged", port=path)


def _where(problem: str) -> str:
    """The problem with the next step of where this runs."""
    if in_app():
        return f"{problem}_in_app"
    return f"{problem}_in_container" if in_container() else problem


def _no_permission(path: str) -> SourceError:
    try:
        status = os.stat(path)
    except OSError:
        return SourceError("permission_directory", port=path)
    if not status.st_gid and not status.st_uid:
        # nobody should join the group of root
        return SourceError("permission_root", port=path)
    group = _name(grp.getgrgid, status.st_gid)
    if not status.st_mode & stat.S_IRGRP or not status.st_mode & stat.S_IWGRP:
        return SourceError("permission_owner", port=path, owner=_name(pwd.getpwuid, status.st_uid), group=group)
    user = _name(pwd.getpwuid, os.geteuid())
    details = {"port": path, "group": group, "user": user, "gid": str(status.st_gid)}
    if in_app():
        return SourceError("permission_group", **details)
    where = "_in_container" if in_container() else "_in_service" if is_service() else ""
    return SourceError(f"permission_group{where}", **details)


def _name(look_up: Callable[[int], tuple[object, ...]], number: int) -> str:
    """The name of a user or group; its number where it has no name, as in many containers."""
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def _busy(path: str) -> SourceError:
    program = programs_by_device().get(os.path.realpath(path))
    if program and f"(pid {os.getpid()})" in program:
        return SourceError("named_twice", port=path)
    if not program:
        return SourceError("busy_unknown", port=path)
    return SourceError("read_by_server" if is_server(program) else "busy", port=path, program=program)
