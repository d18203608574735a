"""The lesson without its pauses: steps, counts, and what it does when the meter does not unlock."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from iskra_server.cli.ui import unlock_lesson as module
from iskra_server.cli.ui.unlock_lesson import Board, Lesson
from iskra_server.cli.ui.unlock_texts import PHRASES

DEADLINE_S = 60.0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    monkeypatch.setattr(module, "_PIN_TAKEN_S", 0.05)


class Shown:
    """What the board shows so far."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.text = ""

    async def until(self, condition: Callable[[str], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                self.text += self._capture.readouterr().out
                if condition(self.text):
                    return
                await asyncio.sleep(0.002)


async def led(shown: Shown, lead: Callable[[Lesson], Awaitable[None]]) -> None:
    lesson = Lesson(Board(), PHRASES["en"])
    task = asyncio.create_task(lesson.run())
    try:
        await lead(lesson)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def enter_four_digits(lesson: Lesson, shown: Shown) -> None:
    await shown.until(lambda text: "Press Enter, and then flash twice" in text)
    lesson.enter.set()
    await shown.until(lambda text: "flash flash" in text and "Then press Enter." in text)
    lesson.enter.set()
    for number in range(1, 5):
        await shown.until(lambda text, number=number: f"Digit {number}:" in text)  # type: ignore[misc]
        lesson.enter.set()
    await shown.until(lambda text: "Waiting for the meter to unlock" in text)


@pytest.mark.usefixtures("quick")
def test_it_leads_from_the_first_flash_to_inf(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown(capsys)

    async def lead(lesson: Lesson) -> None:
        await enter_four_digits(lesson, shown)
        lesson.unlocked.set()
        await shown.until(lambda text: "until it reads InF" in text)
        lesson.enter.set()
        await shown.until(lambda text: "hold 5 4 3 2 1" in text and "Light off" in text)
        assert shown.text.count("dark 3 2 1") == 4
        lesson.unlocked.clear()
        await shown.until(lambda text: text.count("Press Enter, and then flash twice") == 2)

    asyncio.run(led(shown, lead))


@pytest.mark.usefixtures("quick")
def test_a_wrong_pin_is_told_and_it_begins_again(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown(capsys)

    async def lead(lesson: Lesson) -> None:
        await enter_four_digits(lesson, shown)
        await shown.until(lambda text: "The meter is still locked" in text and text.count("flash twice") == 2)

    asyncio.run(led(shown, lead))


@pytest.mark.usefixtures("quick")
def test_it_counts_to_nine_where_nobody_presses_enter(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown(capsys)

    async def lead(lesson: Lesson) -> None:
        for part in ("flash twice", "Then press Enter"):
            await shown.until(lambda text, part=part: part in text)  # type: ignore[misc]
            lesson.enter.set()
        await shown.until(lambda text: "1 2 3 4 5 6 7 8 9 dark 3 2 1" in text)

    asyncio.run(led(shown, lead))


def test_the_beats_are_those_of_the_leaflets() -> None:
    assert (module.DIGITS, module.PAUSE_S, module.HOLD_S, module.BEAT_S) == (4, 3, 5, 1.0)
