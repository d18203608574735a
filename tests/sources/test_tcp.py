import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

import telegrams
from iskra_server.base.address import Address
from iskra_server.sources import reconnect, tcp
from iskra_server.sources.source import Source, SourceState
from iskra_server.sources.tcp import bridge_source, keep_alive, tcp_source
from running import free_port
from sources.ptys import listening, until

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# telnet, RFC 854 and RFC 2217
IAC, SB, SE, WILL, DO, COM_PORT = 255, 250, 240, 251, 253, 44
AGREED = {WILL: DO, DO: WILL}


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[int]:
    """A serial server on loopback; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other one goes."""
    await reader.read()


async def state_after_error(source: Source) -> SourceState:
    async with listening(source):
        await until(lambda: source.state.problem)
        return source.state


def test_bytes_come_through() -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(range(256)))
        await stay(reader, writer)

    async def main() -> None:
        async with server(send) as port:
            source = tcp_source(f"tcp://127.0.0.1:{port}")
            async with listening(source) as heard:
                await until(lambda: heard.data == bytes(range(256)))
                assert source.state == SourceState(f"tcp://127.0.0.1:{port}", is_open=True)

    asyncio.run(main())


def test_telegrams_sent_as_hex_text_are_read() -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"boot=1\r\nSML(" + telegrams.telegram().hex().upper().encode() + b")\r\n")
        await stay(reader, writer)

    async def main() -> None:
        async with server(send) as port, listening(tcp_source(f"tcp://127.0.0.1:{port}")) as heard:
            await until(lambda: telegrams.telegram() in heard.data)

    asyncio.run(main())


def test_a_server_that_closes_is_connected_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_WAIT_S", 0.05)
    states: list[SourceState] = []

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"again ")

    async def main() -> None:
        async with server(send) as port:
            source = tcp_source(f"tcp://127.0.0.1:{port}")
            async with listening(source) as heard:
                await until(lambda: source.state.problem)
                states.append(source.state)
                await until(lambda: heard.data == b"again again again ")
        assert states == [
            SourceState(
                f"tcp://127.0.0.1:{port}",
                is_open=False,
                problem="closed",
                details={"port": f"tcp://127.0.0.1:{port}"},
            )
        ]

    asyncio.run(main())


def test_a_silent_connection_is_closed_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_WAIT_S", 0.05)
    connections: list[asyncio.StreamWriter] = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await stay(reader, writer)

    async def main() -> None:
        async with server(count) as port:
            source = tcp_source(f"tcp://127.0.0.1:{port}", idle_s=0.2)
            assert await state_after_error(source) == SourceState(
                f"tcp://127.0.0.1:{port}",
                is_open=False,
                problem="idle",
                details={"port": f"tcp://127.0.0.1:{port}", "seconds": "0"},
            )
            async with listening(source):
                await until(lambda: len(connections) == 3)

    assert tcp.IDLE_S == 120
    asyncio.run(main())


def test_a_meter_that_sends_rarely_keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_WAIT_S", 0.01)
    clock = [0.0]
    monkeypatch.setattr(tcp, "boottime_s", lambda: clock[0])
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await stay(reader, writer)

    async def main() -> None:
        async with server(serve) as port:
            source = tcp_source(f"tcp://127.0.0.1:{port}", idle_s=0.3)
            async with listening(source) as heard:
                await until(lambda: connections)
                connections[-1].write(b"first ")
                await until(lambda: heard.data == b"first ")
                # longer than the limit: the connection is opened again
                await until(lambda: len(connections) == 2)
                clock[0] = 900.0

                def is_heard() -> bool:
                    # on a busy machine this one may have been silent for the limit, too
                    connections[-1].write(b"second ")
                    return b"second " in heard.data

                await until(is_heard, every_s=0.1)
                # now the limit is 1,800 s
                opened = len(connections)
                await asyncio.sleep(0.5)
                assert (source.state.is_open, len(connections)) == (True, opened)

    asyncio.run(main())


def test_connection_refused() -> None:
    port = free_port()
    assert asyncio.run(state_after_error(tcp_source(f"tcp://127.0.0.1:{port}"))) == SourceState(
        f"tcp://127.0.0.1:{port}",
        is_open=False,
        problem="refused",
        details={"port": f"tcp://127.0.0.1:{port}"},
    )


def test_an_unknown_host_name() -> None:
    state = asyncio.run(state_after_error(tcp_source("tcp://head.invalid:4000")))
    assert (state.problem, state.details) == ("unknown_name", {"port": "tcp://head.invalid:4000"})


def test_an_unreachable_address() -> None:
    state = asyncio.run(state_after_error(tcp_source("tcp://255.255.255.255:4000")))
    assert state.problem == "unreachable"
    assert state.details["reason"]


def test_a_peer_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "CONNECT_S", 0.2)

    async def main() -> None:
        # it accepts, but never negotiates
        async with server(stay) as port:
            state = await state_after_error(bridge_source(f"rfc2217://127.0.0.1:{port}"))
        assert (state.problem, state.details) == ("no_answer", {"port": f"rfc2217://127.0.0.1:{port}"})

    asyncio.run(main())


def test_dead_machines_are_found_by_keepalive() -> None:
    with socket.socket() as connection:
        keep_alive(connection)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 10
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


def test_an_rfc2217_server_is_set_to_9600_8n1_and_read() -> None:
    settings: dict[int, bytes] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readexactly(1) == bytes([IAC]):
            command = (await reader.readexactly(1))[0]
            if command == SB:
                option, order = await reader.readexactly(2)
                value = (await reader.readuntil(bytes([IAC, SE])))[:-2]
                settings[order] = value
                writer.write(bytes([IAC, SB, option, order + 100]) + value + bytes([IAC, SE]))
            else:
                option = (await reader.readexactly(1))[0]
                writer.write(bytes([IAC, AGREED[command], option]))
            if set(settings) >= {1, 2, 3, 4}:
                # a byte 255 is doubled on the wire
                writer.write(b"bytes\xff\xff")

    async def main() -> None:
        async with server(serve) as port, listening(bridge_source(f"rfc2217://127.0.0.1:{port}")) as heard:
            await until(lambda: heard.data.endswith(b"bytes\xff"))

    asyncio.run(main())
    assert (settings[1], settings[2], settings[3], settings[4]) == ((9600).to_bytes(4), b"\x08", b"\x01", b"\x01")


def test_esphome_names_the_missing_package_and_never_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "adding_command", lambda extra: f"pipx inject {extra}")
    source = bridge_source("esphome://192.0.2.1/?port_name=head&key=c2VjcmV0")
    assert "c2VjcmV0" not in source.url
    state = asyncio.run(state_after_error(source))
    assert (state.problem, state.details) == (
        "needs_package",
        {"port": "esphome://192.0.2.1/?port_name=head&key=***", "command": "pipx inject esphome"},
    )


def test_in_a_container_the_advice_is_not_to_install_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "adding_command", lambda _: "")
    state = asyncio.run(state_after_error(bridge_source("esphome://192.0.2.1/?port_name=head")))
    assert state.problem == "needs_other_installation"


def test_an_invalid_host_name_is_unknown() -> None:
    assert tcp._connection_error(Address("rfc2217://head:1"), UnicodeError("label too long")).problem == "unknown_name"


@pytest.mark.parametrize(
    "url", ["tcp://head", "tcp://:4000", "tcp://head:serial", "tcp://a..b:1", "rfc2217://head", "rfc2217://a..b:1"]
)
def test_an_address_needs_a_host_and_a_port(url: str) -> None:
    with pytest.raises(ValueError, match=r"must be (tcp|rfc2217)://HOST:PORT, for example"):
        (tcp_source if url.startswith("tcp") else bridge_source)(url)


def test_another_error_is_the_reason_without_the_key() -> None:
    error = tcp._connection_error(Address("esphome://head/"), ValueError("no key"))
    assert (error.problem, error.details) == ("bad_address", {"port": "esphome://head/", "reason": "no key"})
