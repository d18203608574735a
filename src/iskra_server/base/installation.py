"""How this server was started: as an app of Home Assistant, in a container, by systemd."""

import os

# set by Home Assistant's Supervisor for its apps, which are containers that get every serial port by themselves
_APP_VARIABLE = "SUPERVISOR_TOKEN"
_CONTAINER_VARIABLE = "container"
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
_SERVICE_VARIABLE = "INVOCATION_ID"


def in_app() -> bool:
    """Whether this is an app of Home Assistant."""
    return _APP_VARIABLE in os.environ


def in_container() -> bool:
    """Whether this is a container: Docker and Podman leave a file, others set a variable."""
    return _CONTAINER_VARIABLE in os.environ or any(map(os.path.exists, CONTAINER_MARKS))


def is_service() -> bool:
    """Whether systemd started this, as a service or within the session of a user."""
    return _SERVICE_VARIABLE in os.environ
