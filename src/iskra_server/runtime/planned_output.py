"""An output of a configuration: checked when it is planned, made when it starts."""

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from iskra_server.config import Config, ConfigError
from iskra_server.diagnosis.status import Status
from iskra_server.history.store.location import expand_folder
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.runtime.supervision import Part

if TYPE_CHECKING:
    from iskra_server.history.store.store import Store

Statuses = Callable[[], Sequence[Status]]
# returns None while history is not open
OpenStore = Callable[[], "Store | None"]


class Output(NamedTuple):
    """The part to run, and the states that it reports."""

    part: Part
    states: Callable[[], Sequence[OutputState]] = tuple


class PlannedOutput(NamedTuple):
    """An output with checked settings; `create` cannot fail. On a reload, one with equal `settings` keeps running."""

    settings: Hashable
    create: Callable[[Hub, Statuses, OpenStore], Output]


def data_dir(config: Config) -> Path:
    """Raises ConfigError."""
    try:
        return expand_folder(config.history.data_dir)
    except ValueError as error:
        raise ConfigError(f"history.{error}.") from None
