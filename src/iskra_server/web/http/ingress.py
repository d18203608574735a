"""Access control of the port for ingress: it answers the Supervisor of Home Assistant, and nobody else.

The Supervisor has signed the user in, so no token is needed. It passes on any Host header that the user's browser sent.
No header can turn a request at the normal port into one of these: only the socket at which it arrived counts.
"""

from http import HTTPStatus
from ipaddress import ip_address

from starlette.types import ASGIApp, Scope

from iskra_server.web.http.problem import problem

# key in the ASGI scope of a request that came this way
INGRESS = "iskra_server.ingress"


class IngressGate:
    """`address` is the IP address of the Supervisor. Raises ValueError where it is none."""

    def __init__(self, address: str) -> None:
        self._address = ip_address(address)

    def __call__(self, scope: Scope) -> ASGIApp | None:
        """None for a request that may pass, else the response to it."""
        host, _ = scope.get("client") or ("", 0)
        if host and ip_address(host.partition("%")[0]) == self._address:
            scope[INGRESS] = True
            return None
        sentence = (
            f"This port answers the Supervisor of Home Assistant ({self._address}) only, not {host}. Open the page in "
            "Home Assistant, or use the normal port."
        )
        # a client that is not served keeps no connection
        return problem(HTTPStatus.FORBIDDEN, sentence, reason="not_ingress", headers={"connection": "close"})
