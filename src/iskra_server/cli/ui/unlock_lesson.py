"""Guides through entering a PIN by torch, and counts the seconds on the screen. The PIN itself is never asked for.

two short flashes     the display wakes up, up to "PIN"
n short flashes       raise the digit to n; 3 s of darkness accept it and go to the next
on to "InF"           by short flashes; light for 5 s or longer switches it on, for good
"""

import asyncio
from collections.abc import Iterable

from iskra_server.cli.ui.unlock_texts import Phrases

DIGITS = 4
PAUSE_S = 3
HOLD_S = 5
BEAT_S = 1.0
_PIN_TAKEN_S = 15.0


class Board:
    """Prints lines, and counts on a line now and then."""

    def __init__(self) -> None:
        self._is_counting = False

    def show(self, sentence: str) -> None:
        print("\n" * self._is_counting + sentence, flush=True)
        self._is_counting = False

    def count(self, word: str) -> None:
        """Add a word to the counting line."""
        print(("" if self._is_counting else "   ") + f" {word}", end="", flush=True)
        self._is_counting = True

    def end(self) -> None:
        if self._is_counting:
            print(flush=True)
        self._is_counting = False


class Lesson:
    """Guides through the steps. `enter`: the user pressed Enter; `unlocked`: the meter is unlocked."""

    def __init__(self, board: Board, phrases: Phrases) -> None:
        self.enter = asyncio.Event()
        self.unlocked = asyncio.Event()
        self._board = board
        self._phrases = phrases

    async def run(self) -> None:
        """Endless: starts again if the meter does not unlock, or locks itself again."""
        while True:
            await self._wake()
            for number in range(1, DIGITS + 1):
                await self._digit(number)
            if await self._is_unlocked():
                await self._switch_inf_on()
                # all steps are done, unless it locks itself again
                await self._until_locked()

    async def _wake(self) -> None:
        await self._pressed(self._phrases.wake)
        await self._count((self._phrases.flash, self._phrases.flash))
        await self._pressed(self._phrases.until_pin)

    async def _digit(self, number: int) -> None:
        self._board.show(self._phrases.digit.format(number))
        self.enter.clear()
        for count in range(1, 10):
            if await self._is_pressed_within(BEAT_S if count > 1 else 2 * BEAT_S):
                break
            self._board.count(str(count))
        else:
            await self._is_pressed_within(2 * BEAT_S)
        await self._count([self._phrases.dark] + [str(left) for left in range(PAUSE_S, 0, -1)])

    async def _is_unlocked(self) -> bool:
        self._board.show(self._phrases.waiting)
        try:
            await asyncio.wait_for(self.unlocked.wait(), _PIN_TAKEN_S)
        except TimeoutError:
            self._board.show(self._phrases.still_locked)
            return False
        return True

    async def _switch_inf_on(self) -> None:
        await self._pressed(self._phrases.on_to_inf)
        await self._count([self._phrases.hold] + [str(left) for left in range(HOLD_S, 0, -1)])
        self._board.show(self._phrases.light_off)

    async def _until_locked(self) -> None:
        while self.unlocked.is_set():  # noqa: ASYNC110 - no event tells that it was cleared
            await asyncio.sleep(BEAT_S / 4)

    async def _pressed(self, sentence: str) -> None:
        self._board.show(sentence)
        self.enter.clear()
        await self.enter.wait()

    async def _is_pressed_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.enter.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _count(self, words: Iterable[str]) -> None:
        for word in words:
            self._board.count(word)
            await asyncio.sleep(BEAT_S)
        self._board.end()
