"""The real application over a hub that the test fills, called directly or through a server on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import uvicorn
from msgspec import structs

from iskra_server.base.clock import boottime_s
from iskra_server.base.secret import Secret
from iskra_server.cost.contracts import Contract
from iskra_server.diagnosis.central_state import CentralState
from iskra_server.diagnosis.facts import Facts
from iskra_server.diagnosis.status import Status, run_checks
from iskra_server.history.recording.writer_state import WriterState
from iskra_server.history.store.reads import Reads
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.reading.reception import ReceptionDay
from iskra_server.reading.virtual_readings import VirtualState
from iskra_server.web.app import App, create_app
from iskra_server.web.http.settings import ScopedToken, WebSettings
from running import DEADLINE_S
from samples import METER_ID, SERVER_ID, energy, power, reading

MAKER = Register(Obis.parse("129-129:199.130.3"), b"ISK")
NEVER = dict.fromkeys(("meter_id", "age_s", "data_age_s", "locked"))


def arrived(*registers: Register, age_s: float = 0.0, simulated: bool = False, meter_id: str = METER_ID) -> Sample:
    """A sample whose telegram arrived `age_s` seconds ago; by default with a total and a power."""
    content = reading(*(registers or (MAKER, energy(107323090), power(1243))), meter_id=meter_id)
    content = structs.replace(content, server_id=SERVER_ID[:6] + int(meter_id[-8:]).to_bytes(4))
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    return Sample(content, at, boottime_s() - age_s, simulated, "/dev/ttyUSB0")


def status(**changes: Any) -> Status:
    """The diagnosis of a working source with `changes` to its facts."""
    well = Facts(
        name="",
        source="auto",
        port="/dev/ttyUSB0",
        is_open=True,
        simulated=False,
        byte_count=4440,
        data_age_s=0.1,
        telegrams=10,
        faults={},
        quarantined=0,
        meter_id=METER_ID,
        age_s=0.1,
        stale_after_s=60.0,
        locked=False,
    )
    return run_checks(structs.replace(well, **changes))


@dataclass
class ServerStub:
    """A `ServerView` whose answers a test sets."""

    hub: Hub = field(default_factory=Hub)
    statuses: Callable[[], Sequence[Status]] = list
    store: Callable[[], Reads | None] = lambda: None
    history_state: Callable[[], WriterState | None] = lambda: None
    output_states: Callable[[], Sequence[OutputState]] = list
    central_state: Callable[[], CentralState | None] = lambda: None
    virtual_states: Callable[[], Sequence[VirtualState]] = list
    recent_bytes: Callable[[], Sequence[tuple[str, bytes]]] = list
    reception_days: Callable[[], Sequence[tuple[str, ReceptionDay]]] = list
    log_lines: Callable[[], Sequence[str]] = list
    dropped_log_lines: Callable[[], int] = int
    server_id: str | None = None


def writing(sentence: str = "") -> WriterState:
    """The state of a writer that works, or fails as `sentence` says."""
    return WriterState(not sentence, sentence, None, 0, 0, 0, 0, None)


class Site:
    """A hub, the statuses of sources, and the application over both."""

    def __init__(
        self,
        *samples: Sample,
        stale_after_s: float = 60.0,
        readout_interval_s: float = 0.0,
        history: Reads | None = None,
        tz: str = "UTC",
        contracts: tuple[Contract, ...] = (),
        token: str = "",
        allowed_hosts: tuple[str, ...] = (),
        scoped_tokens: tuple[ScopedToken, ...] = (),
        price_zone: str = "",
        offers: tuple[Contract, ...] = (),
        hub: Hub | None = None,
        **more: Any,
    ) -> None:
        self.hub = hub or Hub(stale_after_s)
        self.statuses = [status()]
        settings = WebSettings(
            "1.2.3",
            readout_interval_s,
            tz,
            Secret(token),
            allowed_hosts,
            contracts,
            scoped_tokens,
            has_history=history is not None,
            price_zone=price_zone,
            offers=offers,
        )
        server = ServerStub(self.hub, lambda: self.statuses, lambda: history, **more)
        self.app = create_app(settings, server)
        for sample in samples:
            self.hub.publish(sample)

    def get(self, path: str, method: str = "GET", client: str = "127.0.0.1", **headers: str) -> httpx.Response:
        """Sends a request without a socket; an exception becomes a 500."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(client, 123))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as asking:
                return await asking.request(method, path, headers=headers)

        return asyncio.run(ask())


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application in a real server, which stops at the end."""
    server = _Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    async with asyncio.timeout(DEADLINE_S * 5), asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_S, verify=False) as client:
            yield client
        app.close()
        server.should_exit = True


async def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition, with a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - nothing signals the condition
            await asyncio.sleep(0.001)
