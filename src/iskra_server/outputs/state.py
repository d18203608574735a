"""The state of an output: the same few words and counts for each of them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct, structs

from iskra_server.base.language import NOTHING, Bilingual
from iskra_server.diagnosis.advice import Advice

# the notice that nothing asks a device
UNASKED = "nothing_asks"


class OutputClient(Struct, frozen=True):
    """A client of an emulated device: how often it asks, and how old the readings in its answers are.

    `interval_s` is the usual time between two requests; `age_s` the age of the reading at the last answer, `max_age_s`
    that of the oldest one. None before there is one.
    """

    address: str
    requests: int
    answers: int
    last_request: datetime
    interval_s: float | None
    age_s: float | None
    max_age_s: float | None


# the output of a reader to its central server
UPLINK = "uplink"


class OutputState(Struct, frozen=True):
    """`sentence` says what fails since `since` and what to do, and is "" while all is well. `sentence_de` is the same
    in German; "" where it is not known.

    `delivered`, `refused` and `dropped` count points, or messages, since the start: accepted by the other side, set
    aside because it refused them, lost because there was no room. `waiting` ones wait, in `waiting_bytes` on disk.
    Of the uplink, `refused` quarters are those that wait at the reader now because the central server refused them, and
    `confirmed_at` is when it last confirmed any (null before).
    `notices` are worth knowing, but are no failure. Of an emulated device: `requests` since the start; `answer_ages_s`
    is the sum of the ages of the readings at its `delivered` answers; `clients` asked within the last hour.
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
    requests: int | None = None
    answer_ages_s: float | None = None
    clients: tuple[OutputClient, ...] = ()
    notices: tuple[Advice, ...] = ()
    confirmed_at: datetime | None = None
    sentence_de: str = ""

    def with_bug(self, error: str) -> "OutputState":
        """While its part ends with an exception that is a bug; "" is none."""
        if not error:
            return self
        sentence = f"It fails ({error}) and is restarted. The log has the details; please report it."
        german = f"Abgebrochen ({error}), wird neu gestartet. Einzelheiten stehen im Protokoll; bitte melden Sie es."
        return structs.replace(self, ok=False, sentence=sentence, sentence_de=german)


def notices_by_output(states: Iterable[OutputState]) -> dict[Advice, list[str]]:
    """Each notice once, with the names of its outputs without ports: devices of one meter share most of them."""
    found: dict[Advice, list[str]] = {}
    for state in states:
        for notice in state.notices:
            names = found.setdefault(notice, [])
            if (name := _device(state)) not in names:
                names.append(name)
    return found


def without_unasked_ports(states: list[OutputState]) -> list[OutputState]:
    """A device with several ports ("shelly_pro_3em at UDP port 1010") is asked at one: the others need no notice."""
    asked = {_device(state) for state in states if state.requests and not _is_unasked(state)}
    return [
        structs.replace(state, notices=tuple(notice for notice in state.notices if notice.fault != UNASKED))
        if _is_unasked(state) and _device(state) in asked
        else state
        for state in states
    ]


def _device(state: OutputState) -> str:
    return state.name.partition(" at ")[0]


def _is_unasked(state: OutputState) -> bool:
    return any(notice.fault == UNASKED for notice in state.notices)


class OutputHealth:
    """The health of an output that needs a broker, and its counts."""

    def __init__(self, name: str) -> None:
        self.delivered = self.refused = 0
        self._name = name
        self._sentence = NOTHING
        # denied action, such as "reading TOPIC" -> its error sentence
        self._denied: dict[str, Bilingual] = {}
        self._since: datetime | None = None

    def failed(self, sentence: Bilingual) -> bool:
        """Whether it was well before."""
        is_news, self._sentence = self._sentence == NOTHING, sentence
        self._since = self._since or datetime.now(UTC)
        return is_news

    def recovered(self) -> None:
        self._sentence, self._since = NOTHING, None
        self._denied.clear()

    def denied(self, action: str, sentence: Bilingual) -> bool:
        """One topic cannot be used, the others can. Whether this is the first such topic."""
        is_news, self._denied[action] = not self._denied, sentence
        self._since = self._since or datetime.now(UTC)
        return is_news

    def allowed(self, action: str) -> None:
        if self._denied.pop(action, None) is not None and not self._denied and self._sentence == NOTHING:
            self._since = None

    @property
    def has_denials(self) -> bool:
        return bool(self._denied)

    def state(self) -> OutputState:
        english, german = self._denial() if self._sentence == NOTHING else self._sentence
        return OutputState(
            self._name,
            ok=not english,
            sentence=english,
            sentence_de=german,
            since=self._since,
            delivered=self.delivered,
            refused=self.refused,
        )

    def _denial(self) -> Bilingual:
        if not self._denied:
            return NOTHING
        count = len(self._denied)
        more = (f" ({count} topics are denied.)", f" ({count} Topics werden verweigert.)") if count > 1 else NOTHING
        english, german = (f"{clause[0].upper()}{clause[1:]}." for clause in next(iter(self._denied.values())))
        return english + more[0], german + more[1]
