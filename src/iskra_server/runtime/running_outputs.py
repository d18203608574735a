"""The outputs that run. Those with the same settings as before keep running when others are planned."""

import asyncio
from collections.abc import Hashable, Iterable

from iskra_server.outputs.state import OutputState, without_unasked_ports
from iskra_server.reading.hub import Hub
from iskra_server.runtime.planned_output import OpenStore, Output, PlannedOutput, Statuses
from iskra_server.runtime.supervision import RunningPart, Supervision


class RunningOutputs:
    """`states` are those that the outputs report."""

    def __init__(self, supervision: Supervision, hub: Hub, statuses: Statuses, store: OpenStore) -> None:
        self._supervision = supervision
        self._hub = hub
        self._statuses = statuses
        self._store = store
        self._running: dict[Hashable, tuple[Output, RunningPart]] = {}
        self._changing = asyncio.Lock()

    async def change_to(self, planned: Iterable[PlannedOutput]) -> None:
        """End all others, then start those that do not run yet. Two changes at the same time follow one another."""
        wanted = {output.settings: output for output in planned}
        async with self._changing:
            removed = self._running.keys() - wanted.keys()
            await self._supervision.stop(*(self._running.pop(settings)[1] for settings in removed))
            for settings, new in wanted.items():
                if settings not in self._running:
                    output = new.create(self._hub, self._statuses, self._store)
                    self._running[settings] = output, self._supervision.start(output.part)

    def states(self) -> list[OutputState]:
        states = [
            state.with_bug(running.failure) for output, running in self._running.values() for state in output.states()
        ]
        return without_unasked_ports(states)
