"""A Shelly by HTTP and WebSocket, through real sockets."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from emulating import MAC, GridMeter, in_event_loop, running, until
from iskra_server.outputs.emulation import shelly_http
from iskra_server.outputs.emulation.clients import Rules
from iskra_server.outputs.emulation.http_listener import HttpListener
from iskra_server.outputs.emulation.shelly_http import ShellyHttp
from iskra_server.outputs.emulation.shelly_identity import PRO_3EM, ShellyIdentity, ShellyModel
from running import free_port
from samples import power

ID = "shellypro3em-02ab34cd56ef"


@asynccontextmanager
async def listening(meter: GridMeter, rules: Rules | None = None, model: ShellyModel = PRO_3EM) -> AsyncIterator[int]:
    """Its port."""
    port = free_port()
    device = ShellyHttp("shelly", meter.clients(rules), model, lambda: ShellyIdentity(model, MAC))
    async with (
        running(HttpListener("127.0.0.1", port, [device]).run(), meter.grid.run("test")),
        asyncio.timeout(60),
    ):
        await device.opened.wait()
        yield port


@asynccontextmanager
async def asking(meter: GridMeter, rules: Rules | None = None) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        listening(meter, rules) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=False) as client,
    ):
        yield client


async def exchange(port: int, request: bytes) -> bytes:
    """All that is answered until the device closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def call(socket: ClientConnection, number: int, method: str) -> dict[str, Any]:
    await socket.send(json.dumps({"id": number, "src": "user_1", "method": method, "params": {"id": 0}}))
    frame: dict[str, Any] = json.loads(await socket.recv())
    return frame


@in_event_loop
async def test_the_answer_byte_by_byte() -> None:
    meter = GridMeter()
    meter.send_power(412)
    async with listening(meter) as port:
        request = b"GET /rpc/EMData.GetStatus?id=0 HTTP/1.1\r\nHost: 192.168.1.20\r\n\r\n"
        assert await exchange(port, request) == (
            b"HTTP/1.1 200 OK\r\nServer: ShellyHTTP/1.0.0\r\nContent-Type: application/json\r\n"
            b"Content-Length: 226\r\nConnection: close\r\n\r\n"
            b'{"id":0,"a_total_act_energy":12345678.9,"a_total_act_ret_energy":1234.5,"b_total_act_energy":0.0,'
            b'"b_total_act_ret_energy":0.0,"c_total_act_energy":0.0,"c_total_act_ret_energy":0.0,"total_act":12345678.9,'
            b'"total_act_ret":1234.5}'
        )


@in_event_loop
async def test_the_connection_is_kept_for_a_client_that_asks_for_it() -> None:
    meter = GridMeter()
    meter.send_power(412)
    head = b"GET /rpc/EM.GetStatus HTTP/1.1\r\nHost: 192.168.1.20\r\n"
    async with listening(meter) as port:
        answers = await exchange(port, 2 * (head + b"Connection: Keep-Alive\r\n\r\n") + head + b"\r\n")
    first, second, third = answers.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert b"Connection" not in first and first == second
    assert b"Connection: close\r\n" in third


@in_event_loop
async def test_every_form_of_a_request_has_the_same_result() -> None:
    meter = GridMeter()
    meter.send_power(-300)
    frame = {"id": 0, "src": "evcc", "method": "EM.GetStatus"}
    async with asking(meter) as client:
        result = (await client.get("/rpc/EM.GetStatus?id=0")).json()
        assert (result["a_act_power"], result["total_act_power"]) == (-300, -300)
        for answer in (
            await client.get("/rpc/em.getstatus"),
            await client.post("/rpc/EM.GetStatus", json=frame),
            await client.post("/rpc/EM.GetStatus", json={"id": 0}),
            await client.post("/rpc/EM.GetStatus", json=frame | {"params": {"id": 0}}),
            await client.post("/rpc/EM.GetStatus?id=0"),
        ):
            assert (answer.status_code, answer.json()) == (200, result)
        framed = await client.post("/rpc", json=frame | {"id": "a", "params": {"id": 0}})
        assert framed.json() == {"id": "a", "src": ID, "dst": "evcc", "result": result}
        info = (await client.get("/shelly")).json()
        assert info == (await client.get("/rpc/Shelly.GetDeviceInfo?ident=true")).json()
        assert (info["id"], info["mac"], info["gen"]) == (ID, "02AB34CD56EF", 2)


@in_event_loop
async def test_errors_have_the_form_of_the_device() -> None:
    meter = GridMeter()
    meter.send_power(1)
    async with asking(meter) as client:
        unknown = await client.get("/rpc/Switch.GetStatus?id=0")
        assert (unknown.status_code, unknown.content) == (
            404,
            b'{"code":404,"message":"No handler for Switch.GetStatus"}',
        )
        for path, code in (("/rpc/EM.GetStatus?id=x", -103), ("/rpc/EM.GetStatus?id=3", -105)):
            wrong = await client.get(path)
            assert (wrong.status_code, wrong.json()["code"]) == (500, code)
        for path, body in (("/rpc", b"{"), ("/rpc/EM.GetStatus", b"[0]"), ("/rpc/EM.GetStatus", b"[" * 9000)):
            wrong = await client.post(path, content=body)
            assert (wrong.status_code, wrong.json()["code"]) == (500, -103)
        framed = await client.post("/rpc", json={"id": 1, "method": "Switch.Set", "params": {"id": 0, "on": True}})
        assert (framed.status_code, framed.json()["error"]["code"]) == (200, 404)
        assert [(await client.get(path)).status_code for path in ("/status", "/settings", "/rpc", "/")] == [404] * 4
        assert (await client.put("/rpc/EM.GetStatus", content=b"{}")).status_code == 405


@in_event_loop
async def test_without_a_current_reading_it_has_no_number() -> None:
    meter = GridMeter()
    async with asking(meter) as client:
        meter.send(power(600), age_s=11)
        for method in ("EM.GetStatus", "EMData.GetStatus", "Shelly.GetStatus"):
            refused = await client.get(f"/rpc/{method}")
            assert (refused.status_code, refused.content) == (
                503,
                b'{"code":1,"message":"No current reading of the meter"}',
            )
            framed = await client.post("/rpc", json={"id": 1, "method": method})
            assert (framed.status_code, framed.json()["error"]["code"]) == (503, 1)
        assert (await client.get("/shelly")).status_code == 200
        meter.send(power(600))
        assert (await client.get("/rpc/EM.GetStatus")).json()["total_act_power"] == 600


@in_event_loop
async def test_before_the_meter_is_known_it_has_no_identity() -> None:
    device = ShellyHttp("shelly", GridMeter().clients(), PRO_3EM, lambda: None)
    assert list(device.services(("192.168.1.20",), 80)) == []
    port = free_port()
    async with running(HttpListener("127.0.0.1", port, [device]).run()), asyncio.timeout(60):
        await device.opened.wait()
        async with httpx.AsyncClient(timeout=60, verify=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/shelly")).status_code == 503
        # no client waits for an answer that never comes
        with pytest.raises(InvalidStatus, match="503"):
            await connect(f"ws://127.0.0.1:{port}/rpc", proxy=None)


@in_event_loop
async def test_counters_are_not_held_back_behind_the_power_of_the_same_telegram() -> None:
    meter = GridMeter()
    meter.send_power(500)
    async with asking(meter, Rules(wait_fresh_s=10, min_interval_s=0.02)) as client:
        for _ in range(2):
            assert (await client.get("/rpc/EMData.GetStatus")).json()["total_act"] == 12345678.9
            assert (await client.get("/rpc/EM.GetStatus")).json()["total_act_power"] in (500, -100)
            assert (await client.get("/rpc/EMData.GetStatus")).status_code == 200
            # only the next telegram lets the second round end
            meter.send_power(-100)


@in_event_loop
async def test_a_websocket_answers_frames_and_tells_each_telegram() -> None:
    meter = GridMeter()
    meter.send_power(500)
    async with listening(meter) as port, connect(f"ws://127.0.0.1:{port}/rpc") as socket:
        answer = await call(socket, 1, "EM.GetStatus")
        assert (answer["id"], answer["src"], answer["dst"]) == (1, ID, "user_1")
        assert answer["result"]["total_act_power"] == 500
        assert (await call(socket, 2, "Switch.Set"))["error"] == {"code": 404, "message": "No handler for Switch.Set"}
        for watts in (-100, 250):
            meter.send_power(watts)
            told = json.loads(await socket.recv())
            assert (told["src"], told["dst"], told["method"]) == (ID, "user_1", "NotifyStatus")
            assert told["params"].keys() == {"ts", "em:0"} and told["params"]["em:0"]["total_act_power"] == watts
        # stale: nothing is sent, and a request gets the error
        meter.send(power(900), age_s=11)
        assert (await call(socket, 3, "EM.GetStatus"))["error"]["code"] == 1
        meter.send_power(7)
        assert json.loads(await socket.recv())["params"]["em:0"]["total_act_power"] == 7


@in_event_loop
async def test_a_websocket_tells_the_counters_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = GridMeter()
    meter.send_power(500)
    async with listening(meter) as port, connect(f"ws://127.0.0.1:{port}/rpc") as socket:
        await call(socket, 1, "EM.GetStatus")
        monkeypatch.setattr(shelly_http, "COUNTERS_EVERY_S", 0)
        meter.send_power(300)
        frames = [json.loads(await socket.recv())["params"] for _ in range(2)]
        assert [params.keys() - {"ts"} for params in frames] == [{"em:0"}, {"emdata:0"}]
        assert (frames[0]["em:0"]["total_act_power"], frames[1]["emdata:0"]["total_act"]) == (300, 12345678.9)
        monkeypatch.setattr(shelly_http, "COUNTERS_EVERY_S", 60)
        for watts in (200, 100):
            meter.send_power(watts)
            assert json.loads(await socket.recv())["params"]["em:0"]["total_act_power"] == watts


@in_event_loop
async def test_a_power_that_was_sent_unasked_holds_back_no_answer() -> None:
    meter = GridMeter()
    meter.send_power(500)
    async with listening(meter, Rules(wait_fresh_s=10)) as port, connect(f"ws://127.0.0.1:{port}/rpc") as socket:
        assert (await call(socket, 1, "EM.GetStatus"))["result"]["total_act_power"] == 500
        meter.send_power(-100)
        assert json.loads(await socket.recv())["params"]["em:0"]["total_act_power"] == -100
        # a battery that does not listen to it asks
        assert (await call(socket, 2, "EM.GetStatus"))["result"]["total_act_power"] == -100


@in_event_loop
async def test_a_websocket_is_told_the_power_no_more_often_than_configured() -> None:
    meter, last = GridMeter(), 30
    async with (
        listening(meter, Rules(min_interval_s=0.2)) as port,
        connect(f"ws://127.0.0.1:{port}/rpc") as socket,
    ):
        await call(socket, 1, "Cloud.GetConfig")
        for watts in range(1, last + 1):
            meter.send_power(watts)
            await asyncio.sleep(0)
        shown: list[float] = []
        while not shown or shown[-1] != last:
            params = json.loads(await socket.recv())["params"]
            if "em:0" in params:
                shown.append(params["em:0"]["total_act_power"])
        assert len(shown) < last / 2


@in_event_loop
async def test_a_client_without_a_name_is_told_nothing_unasked() -> None:
    meter = GridMeter()
    meter.send_power(500)
    async with listening(meter) as port, connect(f"ws://127.0.0.1:{port}/rpc") as socket:
        await socket.send('{"id":1,"method":"Cloud.GetConfig"}')
        assert json.loads(await socket.recv())["dst"] == "unknown"
        meter.send_power(400)
        await asyncio.sleep(0.02)
        await socket.send("nonsense")
        await socket.send('{"id":2,"method":"Cloud.GetConfig"}')
        assert json.loads(await socket.recv())["id"] == 2


@in_event_loop
async def test_on_a_websocket_a_waiting_power_does_not_hold_back_other_answers() -> None:
    meter = GridMeter()
    meter.send_power(500)
    async with listening(meter, Rules(wait_fresh_s=20)) as port, connect(f"ws://127.0.0.1:{port}/rpc") as socket:
        for number, method in enumerate(("EM.GetStatus", "EM.GetStatus", "EMData.GetStatus")):
            await socket.send(json.dumps({"id": number, "method": method}))
        assert {json.loads(await socket.recv())["id"] for _ in range(2)} == {0, 2}
        meter.send_power(40)
        answer = json.loads(await socket.recv())
        assert (answer["id"], answer["result"]["total_act_power"]) == (1, 40)


@in_event_loop
async def test_a_client_that_leaves_ends_all_that_waits_for_it() -> None:
    meter = GridMeter()
    meter.send_power(500)
    async with listening(meter, Rules(wait_fresh_s=10)) as port:
        before = asyncio.all_tasks()
        async with connect(f"ws://127.0.0.1:{port}/rpc") as socket:
            for _ in range(3):
                await socket.send('{"id":1,"src":"user_1","method":"EM.GetStatus"}')
            await socket.recv()
        await until(lambda: not asyncio.all_tasks() - before)


@in_event_loop
async def test_a_stop_of_the_server_ends_every_conversation() -> None:
    meter = GridMeter()
    meter.send_power(500)
    async with listening(meter, Rules(wait_fresh_s=10)) as port:
        socket = await connect(f"ws://127.0.0.1:{port}/rpc")
        await call(socket, 1, "EM.GetStatus")
        await socket.send('{"id":2,"src":"user_1","method":"EM.GetStatus"}')
    async with asyncio.timeout(60):
        await socket.wait_closed()


@pytest.mark.parametrize(("has_upper_name", "name"), [(False, ID), (True, "ShellyPro3EM-02AB34CD56EF")])
def test_it_announces_both_services(has_upper_name: bool, name: str) -> None:
    device = ShellyHttp(
        "shelly",
        GridMeter().clients(),
        PRO_3EM,
        lambda: ShellyIdentity(PRO_3EM, MAC),
        has_upper_name=has_upper_name,
    )
    shelly, http = device.services(("192.168.1.20",), 80)
    assert (shelly.type, http.type) == ("_shelly._tcp", "_http._tcp")
    assert {(service.name, service.server, service.port) for service in (shelly, http)} == {(name, name, 80)}
    assert shelly.properties == {"gen": "2", "app": "Pro3EM", "ver": "1.7.1"}
    assert http.properties == {"gen": "2"}
    # as Victron's driver looks for it
    pattern = r"shelly[\w-]+-[0-9a-f]{12}\._shelly\._tcp\.local\."
    assert has_upper_name != bool(re.fullmatch(pattern, f"{name}.{shelly.type}.local."))
