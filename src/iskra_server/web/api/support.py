"""GET /api/v1/support: the last telegrams of every source, masked, and the last log lines, for a support bundle.

Without a configured token only this machine gets an answer.
"""

from ipaddress import ip_address

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.redact.evidence import Evidence, evidence
from iskra_server.web.http.endpoint import Context, Endpoint, Result, failure
from iskra_server.web.http.problem import problem
from iskra_server.web.http.responses import json_response

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class Support(Struct, frozen=True):
    sources: list[Evidence]
    log: list[str]


async def _support(context: Context, request: Request) -> Response:
    # with a token configured, the gate has checked it
    if not context.settings.token and not _is_local(request):
        return problem(403, "Only this machine gets an answer here, unless server.token is set.", reason="local_only")
    server = context.server
    return json_response(Support(evidence(server.recent_bytes()), list(server.log_lines())))


def _is_local(request: Request) -> bool:
    """False for requests through a local reverse proxy."""
    host = request.client.host if request.client else ""
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        return False
    return is_loopback and not any(name in request.headers for name in _FORWARDED)


ENDPOINT = Endpoint(
    "/api/v1/support",
    "support",
    "Data for a support bundle: the last telegrams of every source, anonymised, and the last log lines.",
    {
        200: Result("the last bytes of every source; one meter has one pseudonym throughout", Support),
        403: failure("no token is configured, and the request comes from another machine"),
    },
    _support,
)
