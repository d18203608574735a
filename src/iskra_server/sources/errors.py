"""What keeps a port from being read: the problem by its name, and what there is to say about it."""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Callable

from iskra_server.sources.holders import holders

# the device node is there, but nothing is behind it
_NOTHING_BEHIND = {errno.ENODEV, errno.ENXIO}
_CONTAINER_VARIABLE = "container"
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


class SourceError(Exception):
    """A line cannot be opened or was lost; never leaves the sources."""

    def __init__(self, problem: str, **details: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.details = details


def opening_error(path: str, error: OSError) -> SourceError:
    """What an error of opening or configuring a serial port means."""
    if isinstance(error, FileNotFoundError):
        return SourceError("missing_in_container" if in_container() else "missing", port=path)
    if isinstance(error, PermissionError):
        return _no_permission(path)
    if error.errno == errno.EBUSY:
        return _busy(path)
    if error.errno in _NOTHING_BEHIND:
        return SourceError("nothing_behind", port=path)
    kind = "unusable_file" if os.path.isfile(path) else "unusable"
    return SourceError(kind, port=path, reason=error.strerror or str(error))


def no_port() -> str:
    """The problem where no port is there at all."""
    return "no_port_in_container" if in_container() else "no_port"


def unplugged(path: str) -> SourceError:
    return SourceError("unplugged", port=path)


def in_container() -> bool:
    """Whether only what was passed to this container is there: Docker and Podman say so, others by the variable."""
    return _CONTAINER_VARIABLE in os.environ or any(map(os.path.exists, _CONTAINER_MARKS))


def _no_permission(path: str) -> SourceError:
    try:
        status = os.stat(path)
    except OSError:
        return SourceError("permission_directory", port=path)
    group = _name(grp.getgrgid, status.st_gid)
    if not status.st_mode & stat.S_IRGRP or not status.st_mode & stat.S_IWGRP:
        return SourceError("permission_owner", port=path, owner=_name(pwd.getpwuid, status.st_uid), group=group)
    user = _name(pwd.getpwuid, os.geteuid())
    return SourceError("permission_group", port=path, group=group, user=user, gid=str(status.st_gid))


def _name(look_up: Callable[[int], tuple[object, ...]], number: int) -> str:
    """The name of a user or group, or its number where it has none (as in many containers)."""
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def _busy(path: str) -> SourceError:
    holder = holders().get(os.path.realpath(path))
    if holder and f"(pid {os.getpid()})" in holder:
        return SourceError("named_twice", port=path)
    return SourceError("busy", port=path, program=holder) if holder else SourceError("busy_unknown", port=path)
