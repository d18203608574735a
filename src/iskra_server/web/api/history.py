"""The routes below a meter that answer from history: energy, power, quarters, cost, registers.

The database is asked in threads (share.py): the event loop, and with it every live answer, never waits.
Answers may be kept, but are asked for again by their ETag, which is a hash of what they say.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.cost.contracts import Contract
from iskra_server.history.store import StoreError
from iskra_server.web.api import cost, energy, power, quarters, registers
from iskra_server.web.api.cost import Costs, NoContract
from iskra_server.web.api.meters import Meter, Meters
from iskra_server.web.api.recorded import RecordedMeter, recorded
from iskra_server.web.http.compressed import compressed
from iskra_server.web.http.problem import known_are, problem
from iskra_server.web.http.question import BadRequest, Query
from iskra_server.web.http.share import Gone, Threads, TooMany, client_of

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

REVALIDATE = {"cache-control": "private, no-cache"}
SWITCHED_OFF = "History is switched off; set history.enabled to true."
OPENING = "History is being opened; ask again in a moment."

# what a route answers, of which meter, to which question
Answer = Callable[[RecordedMeter, Query], Struct]
Endpoint = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")


class History:
    """The endpoints. `reads` gives None while the database is not open; `sentence` then says why, if it is known."""

    def __init__(
        self,
        *,
        meters: Meters,
        reads: Callable[[], "Reads | None"],
        sentence: Callable[[], str],
        tz: str,
        threads: Threads,
        contracts: Sequence[Contract] = (),
    ) -> None:
        self._meters = meters
        self._reads = reads
        self._sentence = sentence
        self._tz = tz
        self._threads = threads
        self.energy = self._endpoint(energy.energy_of, energy.NAMES)
        self.power = self._endpoint(power.power_of, power.NAMES)
        self.quarters = self._endpoint(quarters.quarters_of, quarters.NAMES)
        self.cost = self._endpoint(Costs(contracts).cost_of, cost.NAMES)
        self.registers = self._endpoint(registers.registers_of, registers.NAMES)

    def _endpoint(self, answer: Answer, names: Sequence[str]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            reads = self._reads()
            if reads is None:
                return problem(503, self._sentence() or OPENING, reason="no_history")
            # live meters belong to the event loop
            name = request.path_params["id"]
            live = self._meters.named(name)
            work = partial(_respond, request, reads, live, answer)
            return await answered(self._threads, request, names, self._tz, work)

        return endpoint


async def answered(
    threads: Threads, request: Request, names: Sequence[str], tz: str, answer: Callable[[Query], T]
) -> T | Response:
    """What `answer` gives in a thread, else the answer that says why there is none."""
    try:
        question = Query(request.query_params, names, now=datetime.now(UTC), tz=tz)
        return await threads.run(client_of(request.scope), request.receive, partial(answer, question))
    except BadRequest as misuse:
        return problem(400, as_sentence(str(misuse)), reason="misuse")
    except NoContract as missing:
        return problem(404, as_sentence(str(missing)), reason="no_contract")
    except StoreError as error:
        return problem(503, str(error), reason="no_history")
    except TooMany as error:
        return too_many(as_sentence(str(error)))
    except Gone:
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)


def _respond(request: Request, reads: "Reads", live: Meter | None, answer: Answer, question: Query) -> Response:
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


def too_many(sentence: str) -> Response:
    headers = {"retry-after": "1"}
    return problem(HTTPStatus.TOO_MANY_REQUESTS, sentence, reason="too_many_questions", headers=headers)


def as_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
