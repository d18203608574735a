"""How this server was started: as an app of Home Assistant, in a container, by systemd."""

import os

# set by Home Assistant's Supervisor for its apps, which are containers that get every serial port by themselves
_APP_VARIABLE = "SUPERVISOR_TOKEN"
_CONTAINER_VARIABLE = "container"
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
# the process that systemd started, from version 248 on; programs in a terminal inherit that of another one
_SERVICE_VARIABLE = "SYSTEMD_EXEC_PID"


def in_app() -> bool:
    """Whether this is an app of Home Assistant."""
    return _APP_VARIABLE in os.environ


def in_container() -> bool:
    """Whether this is a container: Docker and Podman leave a file, others set a variable."""
    return _CONTAINER_VARIABLE in os.environ or any(map(os.path.exists, CONTAINER_MARKS))


def is_service() -> bool:
    """Whether systemd started this program as a service."""
    return os.environ.get(_SERVICE_VARIABLE) == str(os.getpid())
