"""What the web may ask the running server: one read-only view, passed whole instead of a callable for each answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from iskra_server.diagnosis.central_state import CentralState
from iskra_server.diagnosis.status import Status
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.reading.reception import ReceptionDay
from iskra_server.reading.virtual_readings import VirtualState

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.history.recording.writer_state import WriterState
    from iskra_server.history.store.reads import Reads


class ServerView(Protocol):
    """Every method returns the state at the moment of the call; a source is named by its URL."""

    @property
    def hub(self) -> Hub: ...

    @property
    def server_id(self) -> str | None:
        """The id of this server, the same at any address; None where it cannot be stored."""

    def statuses(self) -> Sequence[Status]:
        """One for each configured meter, in the order of the configuration; those of solar plants last."""

    def store(self) -> "Reads | None":
        """None while the database is not open, or where no history is kept."""

    def history_state(self) -> "WriterState | None":
        """None where no history is kept."""

    def central_state(self) -> CentralState | None:
        """None where meters are read; the same for about a minute."""

    def output_states(self) -> Sequence[OutputState]:
        """Of the outputs that report a state."""

    def virtual_states(self) -> Sequence[VirtualState]:
        """One for each virtual meter, in the order of the configuration."""

    def recent_bytes(self) -> Sequence[tuple[str, bytes]]:
        """Each source with the last bytes that it received."""

    def reception_days(self) -> Sequence[tuple[str, ReceptionDay]]:
        """Each source with its reception during the last day."""

    def log_lines(self) -> Sequence[str]:
        """The last lines of the log, the oldest first."""

    def dropped_log_lines(self) -> int:
        """Log lines that nobody read in time, since the start."""


def history_sentence(server: ServerView) -> str:
    """Why history is not written, "" while it is or where none is kept."""
    state = server.history_state()
    return state.sentence if state else ""
