"""Who is served at the port for ingress. tests/runtime/test_home_assistant_app.py asks through sockets."""

import asyncio

import httpx
import pytest

from iskra_server.web.http.ingress import IngressGate
from web.serving import Site, arrived

SUPERVISOR = "172.30.32.2"


def get(path: str, client: str, address: str = SUPERVISOR) -> httpx.Response:
    app = Site(arrived(), token="0123456789abcdef").app.behind(IngressGate(address))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 123))
        async with httpx.AsyncClient(transport=transport, base_url="http://ha.example.org") as asking:
            return await asking.get(path)

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/docs", "/api/v1/meters", "/api/electricity/cumulated", "/healthz?meter=fresh"])
def test_the_supervisor_needs_no_token_and_may_use_any_host_name(path: str) -> None:
    assert get(path, SUPERVISOR).status_code == 200


@pytest.mark.parametrize(
    "client", ["172.30.32.1", "172.30.32.22", "127.0.0.1", "::1", "fe80::1%eth0", "::ffff:172.30.32.3"]
)
def test_anybody_else_gets_no_answer_but_why(client: str) -> None:
    answer = get("/healthz", client)
    assert (answer.status_code, answer.headers["connection"]) == (403, "close")
    assert answer.headers["content-type"] == "application/problem+json"
    assert client in answer.json()["detail"] and SUPERVISOR in answer.json()["detail"]


def test_one_address_has_several_forms() -> None:
    assert get("/healthz", "fd00:0:0::2", "fd00::2").status_code == 200


def test_nothing_but_an_address_is_taken() -> None:
    with pytest.raises(ValueError, match="supervisor"):
        IngressGate("supervisor")
