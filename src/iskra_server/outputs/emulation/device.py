"""What every emulated device has: a name, its clients, and the health of its port."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime

from iskra_server.base.backoff import Backoff
from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.advice import Advice
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.device_notices import device_notices
from iskra_server.outputs.emulation.reachability import bridge_warning
from iskra_server.outputs.state import OutputState

FIRST_RETRY_S, MAX_RETRY_S = 2.0, 60.0

log = logging.getLogger(__name__)


class EmulatedDevice:
    """`sentence` says why nobody can ask it, "" while it is well; `opened` is set while its port is open.

    `sentence_de` is the same in German, where it is known.
    """

    # whether clients ask it; else it sends unasked
    is_asked = True
    # whether it must be in the network of its clients; else it connects to a broker by itself
    is_local = True

    def __init__(self, name: str, clients: Clients) -> None:
        self.name = name
        self.clients = clients
        self.sentence = self.sentence_de = ""
        self.opened = asyncio.Event()
        self._since: datetime | None = None
        # boot time
        self._opened_s = 0.0
        # why nothing can find it, as it was when its port was opened
        self._network: Advice | None = None

    def failed(self, sentence: str, sentence_de: str = "") -> None:
        if sentence != self.sentence:
            log.warning("%s: %s", self.name, sentence)
        self.opened.clear()
        self.sentence, self.sentence_de = sentence, sentence_de
        self._since = self._since or datetime.now(UTC)

    def recovered(self) -> None:
        """Its port is open."""
        if not self.opened.is_set():
            self._opened_s = boottime_s()
            self._network = bridge_warning() if self.is_local else None
        self.opened.set()
        if self.sentence:
            log.info("%s works again.", self.name)
        self.sentence = self.sentence_de = ""
        self._since = None

    def state(self) -> OutputState:
        return OutputState(
            self.name,
            ok=not self.sentence,
            sentence=self.sentence,
            sentence_de=self.sentence_de,
            since=self._since,
            delivered=self.clients.answers,
            requests=self.clients.requests if self.is_asked else None,
            answer_ages_s=round(self.clients.ages_s, 3) if self.is_asked else None,
            clients=self.clients.list(),
            notices=tuple(self._notices()) if self.opened.is_set() else (),
        )

    def _notices(self) -> Iterator[Advice]:
        open_s = boottime_s() - self._opened_s
        unasked_s = min(open_s, boottime_s() - self.clients.asked_s) if self.is_asked else None
        return device_notices(self.clients, unasked_s, self._network, open_s)


class SendingDevice(EmulatedDevice):
    """A device that sends unasked."""

    is_asked = False

    async def run(self) -> None:
        """Until it is cancelled."""
        raise NotImplementedError


async def keep_open(
    devices: Iterable[EmulatedDevice], run: Callable[[], Awaitable[None]], describe: Callable[[OSError], Advice]
) -> None:
    """`run` until it is cancelled; where its port cannot be opened, it is tried again, and `describe` says why."""
    backoff = Backoff(FIRST_RETRY_S, MAX_RETRY_S)
    while True:
        try:
            await run()
        except OSError as error:
            advice = describe(error)
            for device in devices:
                device.failed(str(advice.en), str(advice.de))
        await asyncio.sleep(backoff.next_s())
