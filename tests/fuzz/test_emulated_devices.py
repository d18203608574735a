"""Whatever a client sends to an emulated device: each answer is complete, and the next client is answered."""

import asyncio
import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from emulating import CLIENT, MAC, GridMeter
from iskra_server.outputs.emulation import clients
from iskra_server.outputs.emulation.ecotracker import EcoTracker
from iskra_server.outputs.emulation.http_listener import HttpDevice, HttpListener
from iskra_server.outputs.emulation.shelly_3em import Shelly3Em
from iskra_server.outputs.emulation.shelly_http import ShellyHttp
from iskra_server.outputs.emulation.shelly_identity import PRO_3EM, ShellyIdentity
from iskra_server.outputs.emulation.shelly_udp import udp_answer
from iskra_server.outputs.emulation.vzlogger import Vzlogger
from running import free_port
from trying import tries

LOOPBACK = "127.0.0.1"
METHODS = (
    *("EM.GetStatus", "em.getstatus", "EMData.GetStatus", "EM.GetConfig", "Shelly.GetStatus", "Shelly.GetConfig"),
    *("Shelly.GetComponents", "Shelly.ListMethods", "Sys.GetStatus", "WS.SetConfig", "Cloud.SetConfig", "Script.List"),
    *("Script.GetCode", "Shelly.Reboot", "EM1.GetStatus", "Nonsense"),
)
GOOD = b"GET /v1/json HTTP/1.1\r\nHost: 192.168.1.20\r\nConnection: close\r\n\r\n"
STATUSES = {200, 400, 403, 404, 405, 413, 421, 431, 501, 503}
HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Z][A-Za-z -]+\r\n((?:[A-Za-z-]+: [^\r\n]*\r\n)*)\r\n")

targets = st.one_of(
    st.sampled_from(
        ("/v1/json", "/", "/shelly", "/status", "/emeter/0", "/emeter/9", "*", "//[", "//[", "/%00", "http://a/")
    ),
    st.text("/v1jsonemtr?&=%[]:@#\\", max_size=20),
    st.uuids().map("/{}".format),
)
allowed = st.sampled_from(
    ("Connection: close", "Connection: keep-alive", "Expect: 100-continue", "Content-Length: 0", "Accept: */*")
)
refused = st.sampled_from(
    (
        *("Host: evil.example", "Host: [", "Upgrade: websocket", "Connection: Upgrade", ": x", " folded"),
        *("Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", f"X: {'x' * 20_000}"),
        *("Content-Length: 4", "Content-Length: 99999", "Content-Length: -1", "Content-Length: 4, 5"),
    )
)
odd = refused | st.text(st.characters(max_codepoint=255), max_size=12)
HOST = "Host: 192.168.1.20"
requests = st.builds(
    lambda method, target, version, fields, body: (
        "\r\n".join((f"{method} {target} {version}", *fields, "", "")).encode("latin-1") + body
    ),
    st.sampled_from((*("GET",) * 14, "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "get", "X" * 30, "")),
    targets,
    st.sampled_from((*("HTTP/1.1",) * 20, "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "")),
    st.one_of(
        st.lists(allowed, max_size=2).map(lambda fields: [HOST, *fields]),
        odd.map(lambda field: [HOST, field]),
        st.lists(odd, max_size=3),
    ),
    st.just(b"") | st.sampled_from((b"4\r\nabcd\r\n0\r\n\r\n", b"zz\r\n", b"abcd")) | st.binary(max_size=40),
)
streams = st.lists(requests, min_size=1, max_size=4).map(b"".join) | st.binary(max_size=60)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from((0, 1, "0", "", "client", METHODS[0])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("id", "config", "x")), inner),
)
frames = st.one_of(
    st.fixed_dictionaries(
        {"method": st.sampled_from(METHODS) | values},
        optional={"id": values, "src": values, "params": values, "jsonrpc": values},
    ).map(json.dumps),
    values.map(json.dumps),
    st.sampled_from(("[" * 9000, '{"method":"\\ud800"}', '{"id":1e999,"method":"EM.GetStatus"}')),
    st.text(max_size=20),
).map(str.encode)


def small_devices(meter: GridMeter) -> list[HttpDevice]:
    return [make(meter.clients(), lambda: MAC) for make in (EcoTracker, Vzlogger, Shelly3Em)]


def shelly(meter: GridMeter) -> list[HttpDevice]:
    return [ShellyHttp("shelly_pro_3em", meter.clients(), PRO_3EM, lambda: ShellyIdentity(PRO_3EM, MAC))]


@contextmanager
def listening(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[GridMeter], list[HttpDevice]]
) -> Iterator[tuple[asyncio.Runner, GridMeter, int]]:
    """Devices at one port, in an event loop whose unhandled exceptions are raised at the end."""
    monkeypatch.setattr(clients, "MAX_PER_S", 1_000_000)
    meter, port, unhandled = GridMeter(), free_port(), []
    devices = make(meter)

    async def start() -> asyncio.Task[None]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        task = asyncio.ensure_future(HttpListener(LOOPBACK, port, devices).run())
        await devices[0].opened.wait()
        return task

    with asyncio.Runner() as runner:
        task = runner.run(start())
        yield runner, meter, port
        task.cancel()
        runner.run(asyncio.wait([task]))
        # an exception that nobody retrieves is told when its task is deleted
        gc.collect()
    assert not unhandled


async def exchange(port: int, parts: list[bytes]) -> bytes:
    """All that is answered, after the client has closed its side."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        async with asyncio.timeout(60):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0)
            writer.write_eof()
            return await reader.read()
    except OSError:
        # closed while the client was still sending
        return b""
    finally:
        writer.close()


def answers(data: bytes) -> Iterator[tuple[int, Any]]:
    """Status and JSON of each answer; AssertionError where one is not complete."""
    while data:
        head = HEAD.match(data)
        assert head, data
        fields = dict(field.split(b": ") for field in head[2].splitlines())
        length, data = int(fields[b"Content-Length"]), data[head.end() :]
        # the answer to HEAD has the length of the body alone
        body = b"" if not data or data.startswith(b"HTTP/1.1 ") else data[:length]
        assert len(body) in (0, length)
        data = data[len(body) :]
        yield int(head[1]), json.loads(body) if body else None


def test_http_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(monkeypatch, small_devices) as (runner, meter, port):

        @tries()
        @given(streams, st.lists(st.integers(0, 400), max_size=3).map(sorted))
        def attempt(data: bytes, cuts: list[int]) -> None:
            meter.send_power(412)
            parts = [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]
            for status, body in answers(runner.run(exchange(port, parts))):
                assert status in STATUSES
                assert body is None or status == 200

        attempt()
        ((status, body),) = answers(runner.run(exchange(port, [GOOD])))
        assert (status, body["power"]) == (200, 412)


def test_frames_of_shelly_by_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(monkeypatch, shelly) as (runner, meter, port):

        @tries(0.4)
        @given(st.sampled_from(("", *(f"/{method}" for method in METHODS), "/x", "/?id=0")), frames)
        def attempt(path: str, frame: bytes) -> None:
            meter.send_power(412)
            head = f"POST /rpc{path} HTTP/1.1\r\n{HOST}\r\nContent-Length: {len(frame)}\r\n\r\n"
            ((status, body),) = answers(runner.run(exchange(port, [head.encode() + frame])))
            # an error has the form of the device
            assert status == 200 or (status in (404, 500) and isinstance(body["code"], int) and body["message"])

        attempt()


@tries(0.5)
@given(frames | st.binary(max_size=60))
def test_frames_of_shelly_by_udp(data: bytes) -> None:
    meter = GridMeter()
    meter.send_power(412)

    async def answer() -> bytes | None:
        return await udp_answer(meter.clients(), lambda: ShellyIdentity(PRO_3EM, MAC))(data, CLIENT)

    sent = asyncio.run(answer())
    assert sent is None or json.loads(sent)["src"] == f"shellypro3em-{MAC}"


def test_frames_of_shelly_by_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(monkeypatch, shelly) as (runner, meter, port):

        async def talk(messages: list[bytes]) -> str | bytes:
            """The answer to a good request behind these messages."""
            async with asyncio.timeout(60), connect(f"ws://{LOOPBACK}:{port}/rpc") as socket:
                for message in messages:
                    await socket.send(message)
                await socket.send('{"id":"last","method":"EM.GetStatus"}')
                while b'"id":"last"' not in (answer := (await socket.recv(decode=False))):
                    pass
                return answer

        @tries(0.2)
        @given(st.lists(frames | st.binary(max_size=40), max_size=4))
        def attempt(messages: list[bytes]) -> None:
            meter.send_power(412)
            assert json.loads(runner.run(talk(messages)))["result"]["total_act_power"] == 412

        attempt()


def test_bytes_to_a_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = (
        f"GET /rpc HTTP/1.1\r\n{HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    with listening(monkeypatch, shelly) as (runner, meter, port):

        @tries(0.5)
        @given(st.binary(max_size=60), st.integers(0, 60))
        def attempt(data: bytes, cut: int) -> None:
            meter.send_power(412)
            answer = runner.run(exchange(port, [upgrade + data[:cut], data[cut:]]))
            assert not answer or answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")

        attempt()
