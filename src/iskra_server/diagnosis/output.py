"""How an output stands: whoever hands readings on beside HTTP says so in the same few words and counts."""

from datetime import UTC, datetime

from msgspec import Struct


class OutputState(Struct, frozen=True):
    """`sentence` says what is wrong since when, with the next step, and is "" while all is well.

    `delivered`, `refused` and `dropped` count points since the start: taken by the other side, set aside because it
    refused them, lost for want of room. `waiting` are kept until they can be delivered, in `waiting_octets` on disk.
    """

    name: str
    ok: bool
    sentence: str = ""
    since: datetime | None = None
    delivered: int = 0
    waiting: int = 0
    waiting_octets: int = 0
    refused: int = 0
    dropped: int = 0


class Standing:
    """How an output stands that needs a broker: what is wrong since when, and what was delivered so far."""

    def __init__(self, name: str) -> None:
        self.delivered = 0
        self._name = name
        self._sentence = ""
        self._since: datetime | None = None

    def gone(self, sentence: str) -> bool:
        """Whether that is news."""
        is_news, self._sentence = not self._sentence, sentence
        self._since = self._since or datetime.now(UTC)
        return is_news

    def back(self) -> None:
        self._sentence, self._since = "", None

    def state(self) -> OutputState:
        return OutputState(
            self._name, ok=not self._sentence, sentence=self._sentence, since=self._since, delivered=self.delivered
        )
