"""How an output stands: whoever hands readings on beside HTTP says so in the same few words and counts."""

from datetime import UTC, datetime

from msgspec import Struct, structs


class OutputState(Struct, frozen=True):
    """`sentence` says what is wrong since when, with the next step, and is "" while all is well.

    `delivered`, `refused` and `dropped` count points since the start: taken by the other side, set aside because it
    refused them, lost for want of room. `waiting` are kept until they can be delivered, in `waiting_bytes` on disk.
    """

    name: str
    ok: bool
    sentence: str = ""
    since: datetime | None = None
    delivered: int = 0
    waiting: int = 0
    waiting_bytes: int = 0
    refused: int = 0
    dropped: int = 0

    def failed(self, error: str) -> "OutputState":
        """As it is while its part fails with an error that nobody foresaw; "" is no error."""
        if not error:
            return self
        sentence = f"It fails ({error}) and is started again and again. The log says more; please report it."
        return structs.replace(self, ok=False, sentence=sentence)


class OutputHealth:
    """How an output stands that needs a broker: what is wrong since when, and what was delivered and refused so far."""

    def __init__(self, name: str) -> None:
        self.delivered = self.refused = 0
        self._name = name
        self._sentence = ""
        # what the broker denies, such as reading a topic -> the clause that says so
        self._denied: dict[str, str] = {}
        self._since: datetime | None = None

    def gone(self, sentence: str) -> bool:
        """Whether that is news."""
        is_news, self._sentence = not self._sentence, sentence
        self._since = self._since or datetime.now(UTC)
        return is_news

    def back(self) -> None:
        self._sentence, self._since = "", None
        self._denied.clear()

    def denied(self, what: str, why: str) -> bool:
        """One topic cannot be used, while others can; whether that is the first."""
        is_news, self._denied[what] = not self._denied, why
        self._since = self._since or datetime.now(UTC)
        return is_news

    def allowed(self, what: str) -> None:
        if self._denied.pop(what, None) is not None and not self._denied and not self._sentence:
            self._since = None

    @property
    def has_denials(self) -> bool:
        return bool(self._denied)

    def state(self) -> OutputState:
        sentence = self._sentence or self._denial()
        return OutputState(
            self._name,
            ok=not sentence,
            sentence=sentence,
            since=self._since,
            delivered=self.delivered,
            refused=self.refused,
        )

    def _denial(self) -> str:
        if not self._denied:
            return ""
        why = next(iter(self._denied.values()))
        others = f" ({len(self._denied)} topics are denied.)" if len(self._denied) > 1 else ""
        return f"{why[0].upper()}{why[1:]}.{others}"
