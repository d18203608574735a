"""GET /api/v1/support: the last telegrams of every source, masked, and the last lines of the log, for a support bundle.

Answered to whoever shows the token, and where none is configured to this machine alone.
"""

from collections.abc import Callable, Sequence
from ipaddress import ip_address

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.redact.evidence import Evidence, evidence
from iskra_server.web.http.headers import NO_STORE
from iskra_server.web.http.problem import problem

Recent = Callable[[], Sequence[tuple[str, bytes]]]
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class Support(Struct, frozen=True):
    sources: list[Evidence]
    log: list[str]


class SupportEndpoint:
    """`recent`: each source and its last bytes; `lines`: the end of the log."""

    def __init__(self, *, recent: Recent, lines: Callable[[], Sequence[str]], has_token: bool) -> None:
        self._recent = recent
        self._lines = lines
        self._has_token = has_token

    async def answer(self, request: Request) -> Response:
        # behind the gate whoever asks has shown the token, if there is one
        if not self._has_token and not _is_this_machine(request):
            sentence = "This is answered to this machine alone, or to whoever shows server.token."
            return problem(403, sentence, reason="not_here")
        content = Support(evidence(self._recent()), list(self._lines()))
        return Response(msgspec.json.encode(content), headers=NO_STORE, media_type="application/json")


def _is_this_machine(request: Request) -> bool:
    """Not whoever asks through a proxy on it."""
    host = request.client.host if request.client else ""
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        return False
    return is_loopback and not any(name in request.headers for name in _FORWARDED)
