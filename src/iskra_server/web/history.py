"""The routes below a meter that answer from history: energy, power, quarters, cost, registers.

The database is asked in threads, a few at once: the event loop, and with it every live answer, never waits.
Answers may be kept, but are asked for again by their ETag, which is a hash of what they say.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.cost.contracts import Contract
from iskra_server.history.errors import StoreError
from iskra_server.web import cost, energy, power, quarters, registers
from iskra_server.web.compressed import compressed
from iskra_server.web.cost import Costs, NoContract
from iskra_server.web.meters import Meter, Meters
from iskra_server.web.problem import known_are, problem
from iskra_server.web.question import Misuse, Question
from iskra_server.web.recorded import RecordedMeter, recorded

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.reads import Reads

AT_ONCE = 4
REVALIDATE = {"cache-control": "private, no-cache"}
SWITCHED_OFF = "History is switched off; set history.enabled to true."
OPENING = "History is being opened; ask again in a moment."

# what a route answers, of which meter, to which question
Answer = Callable[[RecordedMeter, Question], Struct]
Endpoint = Callable[[Request], Awaitable[Response]]


class History:
    """The endpoints. `reads` gives None while the database is not open; `sentence` then says why, if it is known."""

    def __init__(
        self,
        *,
        meters: Meters,
        reads: Callable[[], "Reads | None"],
        sentence: Callable[[], str],
        tz: str,
        contracts: Sequence[Contract] = (),
    ) -> None:
        self._meters = meters
        self._reads = reads
        self._sentence = sentence
        self._tz = tz
        self._threads = ThreadPoolExecutor(AT_ONCE, "history")
        self.energy = self._endpoint(energy.energy_of, energy.NAMES)
        self.power = self._endpoint(power.power_of, power.NAMES)
        self.quarters = self._endpoint(quarters.quarters_of, quarters.NAMES)
        self.cost = self._endpoint(Costs(contracts).cost_of, cost.NAMES)
        self.registers = self._endpoint(registers.registers_of, registers.NAMES)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _endpoint(self, answer: Answer, names: Sequence[str]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            reads = self._reads()
            if reads is None:
                return problem(503, self._sentence() or OPENING, reason="no_history")
            # live meters belong to the event loop
            name = request.path_params["id"]
            live = self._meters.named(name)
            loop = asyncio.get_running_loop()
            try:
                question = Question(request.query_params, names, now=datetime.now(UTC), tz=self._tz)
                return await loop.run_in_executor(self._threads, _respond, request, reads, live, answer, question)
            except Misuse as misuse:
                return problem(400, as_sentence(str(misuse)), reason="misuse")
            except NoContract as missing:
                return problem(404, as_sentence(str(missing)), reason="no_contract")
            except StoreError as error:
                return problem(503, str(error), reason="no_history")

        return endpoint


def _respond(request: Request, reads: "Reads", live: Meter | None, answer: Answer, question: Question) -> Response:
    name = request.path_params["id"]
    meter = recorded(reads, name, live)
    if meter is None:
        return _unknown(name, [info.meter_id for info in reads.meters()])
    body = msgspec.json.encode(answer(meter, question))
    headers = {**REVALIDATE, "etag": f'"{blake2b(body, digest_size=12).hexdigest()}"'}
    if _has(request.headers.get("if-none-match", ""), headers["etag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return compressed(body, "application/json", headers, request.headers.get("accept-encoding", ""))


def _has(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: a list of tags, compared weakly, or a star."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(tags & {etag, "*"})


def _unknown(name: str, known: list[str]) -> Response:
    detail = f"History knows no meter '{name}'. {known_are(known)}"
    return problem(404, detail, reason="unknown_meter", meters=known)


def as_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
