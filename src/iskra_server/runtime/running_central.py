"""Looks once a minute how a central server stands, and logs what begins to be wrong and what is well again."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from iskra_server.diagnosis.central_state import CentralState, central_state, unreadable
from iskra_server.history.store import StoreError
from iskra_server.runtime.supervision import Part, RunningPart, Supervision

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)
LOOK_EVERY_S = 60.0
# until the database is open
_OPENING_EVERY_S = 1.0


class RunningCentral:
    """`state` is None where this is no central server."""

    def __init__(
        self,
        supervision: Supervision,
        store: "Callable[[], Store | None]",
        history_sentence: Callable[[], str],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self.state: CentralState | None = None
        self._supervision = supervision
        self._store = store
        self._history_sentence = history_sentence
        self._look_every_s = look_every_s
        self._part: RunningPart | None = None

    async def change_to(self, *, is_central: bool) -> None:
        if is_central and not self._part:
            self.state = unreadable("")
            self._part = self._supervision.start(Part("central server", self._keep_looking))
        elif self._part and not is_central:
            await self._supervision.stop(self._part)
            self._part = self.state = None

    async def _keep_looking(self) -> None:
        logged: dict[str, str] = {}
        while True:
            store = self._store()
            self.state = await asyncio.to_thread(_look, store) if store else unreadable(self._history_sentence())
            logged = _log_changes(logged, self.state)
            await asyncio.sleep(self._look_every_s if store else _OPENING_EVERY_S)


def _look(store: "Store") -> CentralState:
    from iskra_server.fleet.central.central_facts import central_facts  # noqa: PLC0415

    try:
        return central_state(central_facts(store))
    except StoreError as error:
        return unreadable(str(error))


def _log_changes(logged: dict[str, str], state: CentralState) -> dict[str, str]:
    """Logs each fault when it begins and when it is over; gives those that are there now."""
    faults = {problem.fault: str(problem.en) for problem in state.problems if problem.fault != "central_unread"}
    for fault, sentence in faults.items():
        if fault not in logged:
            log.warning("%s", sentence)
    # while the database is away nobody knows whether the other faults are over
    if state.facts is None:
        return logged | faults
    for fault in logged.keys() - faults.keys():
        log.info("This is over: %s", logged[fault])
    return faults
