"""What the server announces of itself, and that it does."""

import asyncio
import signal
import socket

import pytest

from browsing import LOOPBACK, browsing, text_of, until
from iskra_server.outputs.mdns import TYPES, server_services
from running import DEADLINE_S, serving


def test_the_server_is_a_web_page_and_a_server_of_meters() -> None:
    meters = ["1 ISK 00 12345678"]
    services = server_services(port=8080, properties={"version": "1.2.3", "id": "abcdef0123"}, meters=lambda: meters)
    page, server = services((LOOPBACK,))
    host = socket.gethostname().partition(".")[0][:40]
    assert (page.type, server.type) == TYPES == ("_http._tcp", "_iskra-server._tcp")
    assert {page.name, server.name} == {f"ISKRA on {host} 8080"} and {page.port, server.port} == {8080}
    # with its id: another machine of this name has other addresses
    assert {page.server, server.server} == {f"iskra-server-{host}-abcdef01"}
    assert server.properties == {"path": "/", "version": "1.2.3", "id": "abcdef0123", "meters": "1 ISK 00 12345678"}
    meters.append("b")
    assert [service.properties["meters"] for service in services(())] == ["1 ISK 00 12345678,b"] * 2


def test_many_meters_are_as_many_as_a_text_record_holds() -> None:
    meters = [f"1 ISK 00 {number:08d}" for number in range(100)]
    service, _ = server_services(port=1, properties={}, meters=lambda: meters)(())
    assert service.properties["meters"].split(",") == meters[:13]
    assert service.server.endswith("-1")


@pytest.mark.slow
def test_the_real_server_announces_itself_and_stops_in_time() -> None:
    async def run() -> None:
        async with browsing(TYPES[1]) as browser:
            environ = {"IES_SERVER_ANNOUNCE": "true", "IES_SERVER_HOST": LOOPBACK}
            with serving("serve", "simulator:MT175", environ=environ, address=LOOPBACK) as server:
                port = int(server.url.rpartition(":")[2])

                async def with_its_meter() -> bool:
                    return bool(text_of(await browser.at(port)).get("meters"))

                await until(with_its_meter, 30)
                told, identity = text_of(await browser.at(port)), server.get("/api/v1/status").json()["server"]
                assert (told["id"], told["version"]) == (identity["id"], identity["version"])
                assert (told["token"], told["tls"]) == ("0", "0")
                server.process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(server.process.wait, DEADLINE_S) == 0
                assert "Traceback" not in server.log

    asyncio.run(run())
