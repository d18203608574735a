"""Outputs are started, kept and ended by their settings."""

import asyncio
from collections.abc import Hashable

from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.runtime.planned_output import Output, PlannedOutput
from iskra_server.runtime.running_outputs import RunningOutputs
from iskra_server.runtime.supervision import Part, Supervision


def planned(name: str, log: list[str], settings: Hashable = None) -> PlannedOutput:
    """An output that notes its beginning and its end, which takes a moment."""

    async def run() -> None:
        log.append(f"+{name}")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            log.append(f"-{name}")

    def create(*_: object) -> Output:
        return Output(Part(name, run), lambda: (OutputState(name, ok=True),))

    return PlannedOutput(settings or name, create)


def test_outputs_with_the_same_settings_keep_running_and_others_end_before_new_ones_begin() -> None:
    async def main() -> None:
        log: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            outputs = RunningOutputs(Supervision(tasks), Hub(), list, lambda: None)
            await outputs.change_to([planned("a", log), planned("b", log)])
            await asyncio.sleep(0)
            assert [state.name for state in outputs.states()] == ["a", "b"]
            # two changes at the same time: one after the other
            await asyncio.gather(
                outputs.change_to([planned("a", log), planned("c", log, "c1")]),
                outputs.change_to([planned("a", log), planned("c", log, "c2")]),
            )
            await asyncio.sleep(0)
            assert log[:3] == ["+a", "+b", "-b"] and log.count("+a") == 1
            assert [state.name for state in outputs.states()] == ["a", "c"]
            await outputs.change_to([])
            assert outputs.states() == []
        assert sorted(log.count(f"+{name}") - log.count(f"-{name}") for name in "ab") == [0, 0]

    asyncio.run(main())
